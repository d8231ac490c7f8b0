"""What simulated nodes log: nothing, or lines of the timeline."""

import logging
from collections.abc import Callable
from typing import Any

import structlog


def silence() -> None:
    """Have nodes of this process log nothing, at hardly any cost."""
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL),
        processors=[_drop],
        cache_logger_on_first_use=False,
    )


def hand_lines_to(take: Callable[[str, dict[str, Any]], None]) -> None:
    """Hand every line that a node of this process logs to `take(event, facts)`."""

    def tell(_logger: object, level: str, line: Any) -> Any:
        facts = dict(line)
        facts["level"] = level
        take(str(facts.pop("event")), facts)
        raise structlog.DropEvent

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        processors=[tell],
        cache_logger_on_first_use=False,
    )


def _drop(_logger: object, _level: str, _line: Any) -> Any:
    raise structlog.DropEvent
