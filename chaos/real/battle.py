"""One round: a fresh cluster, faults for some minutes, convergence, and the verdict."""

import asyncio
import os
import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic_ns
from typing import Final

from chaos.real.abilities import NETWORK, VOLUMES, Abilities
from chaos.real.belongings import Belongings
from chaos.real.casualties import CasualtyWatch
from chaos.real.catalogue import Kind
from chaos.real.cluster_nodes import ClusterNodes
from chaos.real.diary import Diary
from chaos.real.founding import make_deployment
from chaos.real.injection import inject
from chaos.real.liveness import BOUND_SECONDS, LivenessWatch
from chaos.real.namespace_site import NamespaceSite
from chaos.real.node_process import NodeFailedError, NodeProcess
from chaos.real.scene import Scene
from chaos.real.schedule import Schedule
from chaos.real.site import LoopbackSite, Site
from chaos.real.trading import Trading
from chaos.real.volume import Volume

_LEADER_SECONDS: Final = 30.0
_AGREEMENT_SECONDS: Final = 30.0
_QUIET_SECONDS: Final = 1.0
"""Of trading before the first fault and after the last one."""


class RoundFailedError(Exception):
    """A round could not be played: the machine failed the tool, no invariant was broken."""


class Round:
    """A cluster in a folder of its own, from its making to its last word."""

    def __init__(
        self,
        folder: Path,
        seed: str,
        nodes: int,
        rate: int,
        abilities: Abilities,
        belongings: Belongings,
        diary: Diary,
    ) -> None:
        """Make the cluster's folders and hosts; nothing runs yet."""
        folder.mkdir()
        self.folder: Final = folder
        self._seed = seed
        self._diary = diary
        self._site: Site = (
            LoopbackSite()
            if abilities.lack((NETWORK,))
            else NamespaceSite(nodes, seed, os.getpid(), belongings)
        )
        self.deployment: Final = make_deployment(folder / "cluster", self._site, nodes)
        volumes = {} if abilities.lack((VOLUMES,)) else self._move_to_volumes(belongings)
        self.cluster: Final = ClusterNodes(
            NodeProcess(self.deployment, member.number, self._site, belongings)
            for member in self.deployment.members
        )
        self.trading: Final = Trading(self.deployment, self._site, belongings, folder, seed, rate)
        self.scene: Final = Scene(
            self.cluster, self.trading, self._site, abilities, belongings, volumes
        )
        self.looks = 0

    def _move_to_volumes(self, belongings: Belongings) -> dict[int, Volume]:
        """Give each node a disk of its own, to which a link in its place leads."""
        volumes = {}
        for member in self.deployment.members:
            folder = self.deployment.folder(member.number)
            image = self.folder / f"disk-{member.number}.img"
            volume = Volume(image, self.folder / f"disk-{member.number}", belongings)
            shutil.copytree(folder, volume.mount / folder.name)
            shutil.rmtree(folder)
            folder.symlink_to(volume.mount / folder.name)
            volume.sync()  # As an operator's machine has long done before its power fails.
            volumes[member.number] = volume
        return volumes

    def unpack(self) -> None:
        """Copy what lies on the nodes' own disks to plain folders, for keeps."""
        for number, volume in self.scene.volumes.items():
            folder = self.deployment.folder(number)
            if folder.is_symlink():
                folder.unlink()
                shutil.copytree(volume.mount / folder.name, folder)

    async def play(self, kinds: Sequence[Kind], seconds: float) -> None:
        """Start everything, break it for `seconds`, heal it, and stop it.

        Raises RoundFailedError when there was nothing to break.
        """
        began_ms = self._diary.now_ms()
        await self._begin()
        self._diary.note("cluster", "round", f"seed {self._seed}", began_ms)
        watch = LivenessWatch(self.cluster, self.trading, self._diary)
        casualties = CasualtyWatch(self.cluster, self._diary)
        watching = [asyncio.create_task(one.watch()) for one in (watch, casualties)]
        try:
            await asyncio.sleep(_QUIET_SECONDS)
            await inject(self.scene, Schedule(self._seed, kinds), self._diary, seconds)
            await self._heal()
        finally:
            for task in watching:
                task.cancel()
            for task in watching:
                with suppress(asyncio.CancelledError):
                    await task
        self.looks = watch.looks
        await self._end()

    async def _begin(self) -> None:
        try:
            await asyncio.gather(*(node.start() for node in self.cluster.nodes.values()))
        except NodeFailedError as error:
            raise RoundFailedError(f"the cluster did not start: {error}") from error
        if not await self.cluster.await_leader(_LEADER_SECONDS):
            raise RoundFailedError(f"no node led within {_LEADER_SECONDS:.0f} s of the start")
        await self.trading.found()

    async def _heal(self) -> None:
        """Start what is down, and ask for progress within the bound."""
        for number, node in self.cluster.nodes.items():
            if node.pid:
                continue
            try:
                await self.cluster.revive(number)
            except NodeFailedError as error:
                self._diary.violate("a healed node runs", str(error))
        healed_ns = monotonic_ns()
        while self.trading.progress().last_ns < healed_ns:
            if monotonic_ns() - healed_ns > BOUND_SECONDS * 1e9:
                self._diary.violate(
                    "progress within 10 s of the end of all faults",
                    f"no acknowledgement; leader: node {await self.cluster.leader_number()}",
                )
                break
            await asyncio.sleep(0.05)
        await asyncio.sleep(_QUIET_SECONDS)

    async def _end(self) -> None:
        for wrong in await self.trading.stop():
            self._diary.violate("clients end well", wrong)
        differs = await self.cluster.await_agreement(_AGREEMENT_SECONDS)
        if differs:
            self._diary.violate("all nodes converge", differs)
        codes = await asyncio.gather(*(node.stop() for node in self.cluster.nodes.values()))
        for node, code in zip(self.cluster.nodes.values(), codes, strict=True):
            if code != 0:
                said = "had to be killed" if code is None else f"ended with code {code}"
                self._diary.violate(
                    "nodes stop when asked", f"node {node.number} {said}: {node.last_words()}"
                )

    @property
    def folders(self) -> list[Path]:
        """The nodes' folders, the witness's first."""
        return [self.deployment.folder(number) for number in sorted(self.cluster.nodes)]
