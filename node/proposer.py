"""What the leader proposes, and who the gateway is told leads."""

from collections.abc import Callable

from config import NodeConfig
from node.consensus.errors import NotLeaderError
from node.consensus.log_group import build_group
from node.consensus.replica import Replica
from node.domain.groups import GROUP_HEADER_SIZE
from node.gateway.seams import BarrierLostError, LeaderAddress
from node.machine import Machine


class Proposer:
    """Where the leader's groups come from: the records that wait at the gateway, or time itself."""

    def __init__(self, machine: Machine, now_ns: Callable[[], int]) -> None:
        """Propose for `machine`; `take` and `stamp` are set before this node can lead.

        `now_ns` is the clock of the machine's stages.
        """
        self._now_ns = now_ns
        self.take: Callable[[int], tuple[list[bytes], int] | None] = lambda _most: None
        self.stamp: Callable[[], int] = lambda: 0
        self.in_flight: Callable[[], int] = lambda: 0
        self._machine = machine
        self._waiting_since_ns = 0

    def note_waiting(self) -> None:
        """Note that commands have come in; the first one since the last group counts."""
        if not self._waiting_since_ns:
            self._waiting_since_ns = self._now_ns()

    def take_group(self, max_bytes: int) -> bytes | None:
        """Return a stamped group of what waits; an empty one when time itself has work; else None.

        Time has work while sweeps wait, and when an order expires or a timer is due.
        """
        taken = self.take(max_bytes - GROUP_HEADER_SIZE)
        since, self._waiting_since_ns = self._waiting_since_ns, 0
        if taken is None:
            if self.in_flight() or not self._time_has_work():
                return None
            taken = [], 0
        stamp_ns = self.stamp()
        self._machine.stages.proposed(stamp_ns, since or self._now_ns())
        return build_group(*taken, stamp_ns, shard=self._machine.venue.genesis.shard)

    def _time_has_work(self) -> bool:
        venue = self._machine.venue
        if venue.work_pending:
            return True
        due_ns = venue.next_due_ns
        return due_ns != 0 and due_ns <= self.stamp()


class LeadershipView:
    """Who leads, in the words of the gateway."""

    def __init__(self, config: NodeConfig, proposer: Proposer) -> None:
        """Name leaders by the addresses in `config`; `replica` is set before anyone asks."""
        self.replica: Replica | None = None
        self._addresses = {
            member.number: LeaderAddress(member.number, member.host, member.client_port)
            for member in config.members
        }
        self._proposer = proposer

    @property
    def is_leader(self) -> bool:
        """Tell whether this node leads."""
        return self.replica is not None and self.replica.is_leader

    @property
    def ready(self) -> bool:
        """Tell whether this node leads and has applied everything acknowledged before."""
        return self.replica is not None and self.replica.ready

    def leader_address(self) -> LeaderAddress | None:
        """Return where clients reach the leader.

        None while none is known, or while it is this node but not ready.
        """
        leader = self.replica.leader if self.replica is not None else None
        return self._addresses.get(leader) if leader is not None else None

    async def read_barrier(self) -> int:
        """Return an index that covers every reply before the call, once it is applied here."""
        assert self.replica is not None
        try:
            return await self.replica.read_barrier()
        except NotLeaderError as error:
            raise BarrierLostError(str(error)) from error

    def kick(self) -> None:
        """Note that commands wait."""
        self._proposer.note_waiting()
        if self.replica is not None:
            self.replica.kick()
