"""Small fields in 64-bit words.

One 64-bit read or write costs as much as a 32-bit one, and mixes no types.
"""

from librt.strings import BytesWriter, read_i16_le, read_i32_le, write_i64_le
from mypy_extensions import i64


def write_pair(out: BytesWriter, low: i64, high: i64) -> None:
    """Append two i32 fields, each in 0..2^31-1."""
    write_i64_le(out, low | (high << 32))


def i32_at(data: bytes, at: i64) -> i64:
    """Return the i32 field at `at`."""
    return i64(read_i32_le(data, at))


def i16_at(data: bytes, at: i64) -> i64:
    """Return the i16 field at `at`."""
    return i64(read_i16_le(data, at))
