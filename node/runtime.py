"""The composition root of a process: what is on disk, the node over it, and the operator's page.

The parts of the node themselves meet in `node.assembly`.
"""

import asyncio
import gc
from pathlib import Path
from typing import Any, Final

import structlog

from config import NodeConfig
from node._pure import build_form
from node.assembly import Assembly, Ground, consensus_timing
from node.consensus.file_system import FileSystem
from node.consensus.replica import Replica
from node.machine import Machine, fail_stop
from node.portrait import Portrait
from node.storage.data_directory import DataDirectory, genesis_hash
from node.storage.first_start import note_started, require_memory
from node.storage.identity_seal import require_identity, seal_identity
from node.storage.probe import probe_file
from node.storage.snapshot_store import SnapshotStore
from node.telemetry.http_page import OperatorPage
from node.telemetry.readings import Build

_YOUNG_OBJECTS: Final = 50_000
_YOUNG_COLLECTIONS: Final = 5
_NEVER_FULL: Final = 1_000_000_000

log = structlog.get_logger("runtime")


class Runtime:
    """One node: opens what is on disk, and runs until it is stopped.

    Make it inside the running loop.
    """

    def __init__(self, config: NodeConfig, version: str, *, recovering: bool = False) -> None:
        """Open the data directory and compose the parts.

        Raises StorageError, ConsensusError or SnapshotError when what is there cannot be used,
        OSError when the disk cannot be read or written.
        """
        asyncio.get_running_loop().set_exception_handler(loop_failed)
        self._config = config
        self._build = Build(version, build_form())
        self.directory = DataDirectory(Path(config.data))
        self.directory.create()
        self.directory.locked()
        if not recovering:
            require_memory(self.directory)
        genesis = self.directory.read_genesis()
        require_identity(self.directory)
        self._store = self._open_store(genesis_hash(genesis))
        self._assembly = Assembly(
            config,
            genesis,
            self.directory.read_cluster_key(),
            Ground(self.directory.root, self._store, FileSystem()),
            consensus_timing(config),
            recovering=recovering,
        )
        seal_identity(self.directory)
        note_started(self.directory)
        own = config.own
        self._portrait = self._draw()
        self._page = OperatorPage(own.host, own.http_port, self._portrait.readings)

    @property
    def machine(self) -> Machine:
        """What the log drives."""
        return self._assembly.machine

    @property
    def replica(self) -> Replica:
        """This node's member of the cluster."""
        return self._assembly.replica

    def _open_store(self, genesis: bytes) -> SnapshotStore:
        if self.directory.snapshot.exists():
            report = probe_file(self.directory.snapshot)
            log.info(
                "snapshot_probed",
                index=report.index,
                size_bytes=report.size_bytes,
                elapsed_ms=report.elapsed_ms,
            )
        return SnapshotStore(
            self.directory.root,
            genesis_hash=genesis,
            most_map_size=self._config.storage.state_map_bytes,
        )

    def _draw(self) -> Portrait:
        parts = self._assembly
        return Portrait(
            self._build,
            self._config.number,
            parts.replica,
            parts.machine,
            parts.gateway.counters,
            parts.gateway.admission,
            parts.events,
            parts.checkpointer,
            self._store,
            parts.surroundings.monotonic,
        )

    # Life.

    async def start(self) -> None:
        """Serve: peers, clients, operators. Raises OSError when an address is taken."""
        await self._assembly.start()
        gc.collect()
        gc.freeze()
        # Cycles of short-lived objects are collected young. A full collection would stop a
        # core of a million orders for 100 ms, and never runs: the core breaks its own cycles.
        gc.set_threshold(_YOUNG_OBJECTS, _YOUNG_COLLECTIONS, _NEVER_FULL)
        self._page.start()  # Last: a node that answers here serves.
        log.info(
            "node_started",
            index=self.machine.venue.log_index,
            term=self.replica.term,
            form=self._build.form,
            version=self._build.version,
            recovering=self.replica.recovering,
        )

    async def stop(self) -> None:
        """Hand leadership over, say goodbye to clients, finish what is being written, and close."""
        await self._assembly.stop()
        self._page.stop()
        self.directory.unlock()
        log.info("node_stopped", index=self.machine.venue.log_index)


def loop_failed(_: asyncio.AbstractEventLoop, report: dict[str, Any]) -> None:
    """Take what no callback and no task has caught: an assertion ends the process.

    Anything else, a socket that failed say, has ended what it happened to, and is logged.
    """
    error = report.get("exception")
    if isinstance(error, AssertionError):
        fail_stop("assertion_failed", error, where=report.get("message"))
    log.error("loop_error", exc_info=error, where=report.get("message"))
