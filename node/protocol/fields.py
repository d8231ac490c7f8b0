"""Single fields out of a frame, for callers that are not compiled."""

from librt.strings import read_i16_le, read_i32_le, read_i64_le


def field_i16(frame: bytes, offset: int) -> int:
    """Return the signed 16-bit integer at `offset`."""
    return read_i16_le(frame, offset)


def field_i32(frame: bytes, offset: int) -> int:
    """Return the signed 32-bit integer at `offset`."""
    return read_i32_le(frame, offset)


def field_i64(frame: bytes, offset: int) -> int:
    """Return the signed 64-bit integer at `offset`."""
    return read_i64_le(frame, offset)
