"""One JSON object a line: a past-tense event, and facts as keys with units.

Never one line an order.
"""

import logging
from collections.abc import Callable, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

import orjson
import structlog

LOG_FILE: Final = "node.jsonl"
_ROTATED: Final = "node.jsonl.1"
ROTATE_AT_BYTES: Final = 64 << 20


def configure_logs(folder: Path, level: str, node: int) -> None:
    """Send this process's log, from `level` up, to `folder`/node.jsonl.

    Every line has the node's number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = LogFile(folder)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _Named(node),
            structlog.processors.JSONRenderer(serializer=_dump),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", file)),
        cache_logger_on_first_use=True,
    )


class LogFile:
    """The file that lines are appended to, under structlog's lock.

    One of `rotate_at_bytes` becomes `node.jsonl.1`, which replaces the one before, and a new one
    is begun: a node's log takes twice that, however long it runs.
    """

    def __init__(self, folder: Path, rotate_at_bytes: int = ROTATE_AT_BYTES) -> None:
        """Open `folder`/node.jsonl, which may be there already. Raises OSError."""
        self._folder = folder
        self._rotate_at_bytes = rotate_at_bytes
        self._file = (folder / LOG_FILE).open("ab")
        self._size = self._file.tell()

    def write(self, line: bytes) -> int:
        """Append `line`, to a new file if this one is full."""
        if self._size >= self._rotate_at_bytes:
            self._size = 0  # Also when rotating fails: then the next try is as far away.
            with suppress(OSError):  # A node that has run out of descriptors still writes its log.
                self._rotate()
        self._size += len(line)
        return self._file.write(line)

    def _rotate(self) -> None:
        current = self._folder / LOG_FILE
        if current.exists():
            current.replace(self._folder / _ROTATED)
        opened = current.open("ab")
        self._file.close()
        self._file = opened

    def flush(self) -> None:
        """Hand what was written to the system."""
        self._file.flush()

    def close(self) -> None:
        """Write nothing more."""
        self._file.close()


class _Named:
    """Adds the node's number to every line, whichever thread writes it."""

    def __init__(self, node: int) -> None:
        self._node = node

    def __call__(
        self, _: object, __: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        event["node"] = self._node
        return event


def _dump(event: MutableMapping[str, Any], default: Callable[[Any], Any] | None = None) -> bytes:
    return orjson.dumps(event, default=default or repr)
