"""Command frames that wait to be sent, numbered as they are written."""

from librt.strings import BytesWriter, write_i16_le, write_i32_le, write_i64_le
from mypy_extensions import i16, i32, i64


class FrameBuffer:
    """A buffer of command frames with consecutive sequences, oldest first.

    `take` hands over the frames written since the last one. `next_sequence` is that of the next
    command.
    """

    def __init__(self, next_sequence: i64) -> None:
        """Start empty; the first command gets `next_sequence`."""
        self.next_sequence: i64 = next_sequence
        self.count: i64 = 0
        self._out: BytesWriter = BytesWriter()

    def take(self) -> bytes:
        """Return the frames that are waiting and forget them; `count` goes back to 0."""
        frames = self._out.getvalue()
        self._out.truncate(0)
        self.count = 0
        return frames

    def _begin(self, size: i64, kind: i64) -> BytesWriter:
        out = self._out
        write_i32_le(out, i32(size))
        write_i16_le(out, i16(kind))
        write_i16_le(out, 0)
        write_i64_le(out, self.next_sequence)
        self.next_sequence += 1
        self.count += 1
        return out
