"""Names as their fields hold them."""

from node.domain.identifiers import NAME_SIZE


def pad_name(name: str) -> bytes:
    """Return `name` as UTF-8, padded with 0 to 64 bytes. Raises ValueError when it is longer."""
    raw = name.encode()
    if len(raw) > NAME_SIZE:
        raise ValueError(f"a name has at most {NAME_SIZE} bytes of UTF-8, not {len(raw)}")
    return raw + bytes(NAME_SIZE - len(raw))
