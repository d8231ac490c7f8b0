"""The watch for progress: a connected majority must acknowledge something within ten seconds."""

import asyncio
from time import monotonic_ns
from typing import Final

from chaos.real.cluster_nodes import ClusterNodes
from chaos.real.diary import Diary
from chaos.real.trading import Trading

BOUND_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.2
_STALL_NS: Final = 1_000_000_000
"""A look that comes later than this says that the machine stood still, and not the cluster."""


class LivenessWatch:
    """Looks at the clients' progress as long as `watch` runs."""

    def __init__(self, cluster: ClusterNodes, trading: Trading, diary: Diary) -> None:
        """Watch the clients of `trading` on `cluster`."""
        self._cluster = cluster
        self._trading = trading
        self._diary = diary
        self.looks = 0
        """How often a majority was connected and progress was asked for."""

    async def watch(self) -> None:
        """Look until cancelled."""
        bar_ns = looked_ns = monotonic_ns()
        told_ns = 0
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            now_ns = monotonic_ns()
            late = now_ns - looked_ns > _STALL_NS
            looked_ns = now_ns
            since_ns = self._cluster.majority_since_ns
            if since_ns == 0 or late:
                bar_ns = now_ns
                continue
            self.looks += 1
            bar_ns = max(bar_ns, since_ns, self._trading.progress().last_ns)
            if now_ns - bar_ns > BOUND_SECONDS * 1e9 and told_ns != bar_ns:
                told_ns = bar_ns  # One standstill is one violation, however long it lasts.
                self._diary.violate(
                    "progress within 10 s of a connected majority",
                    f"no acknowledgement for {(now_ns - bar_ns) / 1e9:.1f} s; leader: node "
                    f"{await self._cluster.leader_number()}",
                )
