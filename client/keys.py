"""Private keys from files."""

from pathlib import Path

from nacl.signing import SigningKey

from client.errors import KeyFileError

_OTHERS = 0o077


def load_key(path: Path | str) -> SigningKey:
    """Return the Ed25519 key whose seed `path` holds as 64 hexadecimal digits.

    Raises KeyFileError if the file is missing, holds something else, or can be read by others than
    its owner.
    """
    file = Path(path)
    try:
        mode = file.stat().st_mode
        text = file.read_text(encoding="ascii").strip()
        seed = bytes.fromhex(text)
    except FileNotFoundError as error:
        raise KeyFileError(f"there is no key file {file}") from error
    except (OSError, ValueError) as error:
        raise KeyFileError(f"{file} is not a readable key file: {error}") from error
    if mode & _OTHERS:
        raise KeyFileError(f"{file} can be read by others (mode {mode & 0o777:o}); chmod 600 it")
    if len(seed) != 32:
        raise KeyFileError(f"{file} holds {len(seed)} bytes, not a seed of 32")
    return SigningKey(seed)
