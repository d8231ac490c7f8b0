"""The watch for nodes that end by themselves: no process ends unless a fault has declared it."""

import asyncio
from typing import Final

from chaos.real.cluster_nodes import ClusterNodes
from chaos.real.diary import Diary

_LOOK_SECONDS: Final = 0.1


class CasualtyWatch:
    """Looks at the nodes' processes as long as `watch` runs."""

    def __init__(self, cluster: ClusterNodes, diary: Diary) -> None:
        """Watch the nodes of `cluster`."""
        self._cluster = cluster
        self._diary = diary

    async def watch(self) -> None:
        """Look until cancelled, and once more then."""
        try:
            while True:
                self.look()
                await asyncio.sleep(_LOOK_SECONDS)
        finally:
            self.look()

    def look(self) -> None:
        """Write down every end that no fault had declared."""
        self._cluster.look_for_ends()
        while self._cluster.unclaimed_ends:
            self._diary.violate("no node ends without a cause", self._cluster.unclaimed_ends.pop(0))
