"""One JSON object a line: a past-tense event, and facts as keys with units.

Never one line an order.
"""

import logging
from collections.abc import Callable, MutableMapping
from pathlib import Path
from typing import Any, Final

import orjson
import structlog

LOG_FILE: Final = "node.jsonl"
_ROTATED: Final = "node.jsonl.1"
_ROTATE_AT_BYTES: Final = 64 << 20


def configure_logs(folder: Path, level: str, node: int) -> None:
    """Send this process's log, from `level` up, to `folder`/node.jsonl.

    Every line has the node's number. At start a file above 64 MiB becomes
    `node.jsonl.1`, which replaces the one before.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / LOG_FILE
    if file.exists() and file.stat().st_size > _ROTATE_AT_BYTES:
        file.replace(folder / _ROTATED)
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
        logger_factory=structlog.BytesLoggerFactory(file.open("ab")),
        cache_logger_on_first_use=True,
    )


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
