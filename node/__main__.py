"""`python -m node --config node.toml`: run one node until SIGTERM or SIGINT."""

import argparse
import asyncio
import signal
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import structlog
import uvloop

from config import ConfigError, NodeConfig, load_node
from node.consensus.errors import ConsensusError
from node.engine.snapshot_error import SnapshotError
from node.machine import EXIT_FAILED
from node.runtime import Runtime
from node.storage.data_directory import DataDirectory
from node.storage.errors import StorageError
from node.storage.first_start import set_damaged_aside
from node.telemetry.logs import configure_logs

_EXIT_CONFIG: Final = 2
_UNUSABLE: Final = (ConsensusError, SnapshotError, StorageError, OSError)
log = structlog.get_logger("node")


def main(arguments: list[str] | None = None) -> int:
    """Run a node.

    Return 0 after a graceful stop, 2 for a bad configuration, 70 when it cannot go on.
    """
    parser = argparse.ArgumentParser(prog="python -m node", description=__doc__)
    parser.add_argument("--config", type=Path, required=True, help="the node's TOML file")
    parser.add_argument(
        "--recover",
        action="store_true",
        help="set damaged state aside and rebuild it from the peers",
    )
    given = parser.parse_args(arguments)
    try:
        config = load_node(given.config)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return _EXIT_CONFIG
    configure_logs(Path(config.data) / "log", config.logging.level, config.number)
    try:
        return uvloop.run(_serve(config, recover=given.recover))
    except _UNUSABLE as error:
        log.critical("node_cannot_run", reason=str(error), kind=type(error).__name__)
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return EXIT_FAILED
    except Exception as error:
        log.critical("node_failed", exc_info=error)
        raise


async def _serve(config: NodeConfig, *, recover: bool) -> int:
    if recover:
        aside = set_damaged_aside(DataDirectory(Path(config.data)))
        log.warning("state_set_aside", target=str(aside))
    runtime = Runtime(config, _version(), recovering=recover)
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    await runtime.start()
    await asked.wait()
    await runtime.stop()
    return 0


def _version() -> str:
    try:
        return version("quorumbook")
    except PackageNotFoundError:
        return "unknown"


if __name__ == "__main__":
    sys.exit(main())
