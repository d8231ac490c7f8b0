"""A whole cluster and its clients in one process: hosts, network, time, and who watches."""

from collections.abc import Callable
from functools import lru_cache
from random import Random
from struct import Struct
from typing import Any

from blake3 import blake3
from nacl.signing import SigningKey

from chaos.report.run_report import Moment
from chaos.simulation.client_host import ClientHost
from chaos.simulation.committed_log import Applied, CommittedLog
from chaos.simulation.following import Following
from chaos.simulation.host import DAMAGED, Host
from chaos.simulation.invariants.invariant import OCCASIONS, Invariant, ViolationError
from chaos.simulation.network import Network
from chaos.simulation.reader_host import Answered, ReaderHost
from chaos.simulation.scheduler import Scheduler
from chaos.simulation.setting import Setting, draw_setting, trader_key
from chaos.workloads.knowledge import Knowledge
from chaos.workloads.registry import OPERATOR, TRADER, Workload
from node.assembly import Assembly
from node.audit.replay import Replay
from node.consensus.errors import ConsensusError, JournalDamageError, WireError
from node.consensus.journal import JournalEntry
from node.consensus.raft_core import LEADER
from node.domain import commands, terms

START_NS = 1_000_000_000
REPLAY_EQUALS_LIVE = "replay equals live"
TRADERS = 3
MARKETS = 3
CALLED = 0.3
"""How often the first market opens by a call auction."""
READER = 9
"""The number of the client that only reads."""
_SETTLED_NS = 30_000_000
_TRACE = Struct("<qqqq")


class Cluster:
    """One run. What it draws, it draws from `seed`; what happens is told to the invariants."""

    def __init__(
        self, seed: int, nodes: int, invariants: tuple[type[Invariant], ...], *, record: bool
    ) -> None:
        """Start all nodes and the clients. With `record`, keep a timeline."""
        self.random = Random(seed)
        self.scheduler = Scheduler(START_NS)
        self.setting: Setting = draw_setting(self.random, nodes)
        self.network = Network(self.scheduler, Random(self.random.random()), self._arrived)
        self.log = CommittedLog()
        self.replay = Replay(self.setting.genesis)
        self.leaders: dict[int, int] = {}
        self.violation: ViolationError | None = None
        self.timeline: list[Moment] = []
        self.acknowledged_at_ns: list[int] = []
        self.leaders_ended_at_ns: list[int] = []
        self.converged = False
        self.closing = False
        """Whether clients write no more."""
        self._record = record
        self._trace = blake3()
        self.invariants = [invariant(self) for invariant in invariants]
        self._looking: dict[str, list[Callable[..., None]]] = {
            occasion: [
                getattr(one, occasion) for one in self.invariants if one.looks_when(occasion)
            ]
            for occasion in OCCASIONS
        }
        self.hosts = {
            number: Host(
                number,
                self.setting,
                self.scheduler,
                self.network,
                Random(self.random.random()),
                self,
            )
            for number in self.setting.numbers
        }
        self.clients: list[ClientHost] = []
        self.readers: list[ReaderHost] = []
        self.newest_told = 0
        """The newest log index that some client has been told of."""
        for host in self.hosts.values():
            host.start()
        self._add_clients()

    # Clients.

    def _add_clients(self) -> None:
        operator = self._client(0, self.setting.operator, OPERATOR)
        operator.open(self._furnish)

    def _client(self, number: int, key: SigningKey, workloads: tuple[Workload, ...]) -> ClientHost:
        known = Knowledge(number, TRADERS, MARKETS, now_ns=self._wall_ns)
        known.cluster_id = self.setting.genesis.cluster_id
        client = ClientHost(self, number, key, workloads, known, Random(self.random.random()))
        self.clients.append(client)
        return client

    def _wall_ns(self) -> int:
        return self.setting.epoch_ns + self.scheduler.now_ns

    def _add_reader(self) -> None:
        chance = Random(self.random.random())
        reader = ReaderHost(self, READER, self.setting.operator, TRADERS, chance)
        self.readers.append(reader)
        reader.open()

    def _furnish(self) -> None:
        """Have the operator make accounts, money and markets; then let everybody trade."""
        operator = self.clients[0]
        random = self.random

        def write() -> int:
            frames = operator.session.frames
            for number in range(1, TRADERS + 1):
                mode = random.choice((terms.NET, terms.NET, terms.HOLD))
                address = number.to_bytes(20, "big")
                frames.account_open(mode, address, bytes(trader_key(number).verify_key))
                frames.deposit(number, random.choice((2_000_000, 60_000_000)), number)
                frames.order_group_set(number, 1, 6)
            frames.event_create(random.random() < 0.5, "event")
            for number in range(1, MARKETS + 1):
                fees = random.choice(((0, 0), (250, 40), (1_000, 0)))
                frames.market_create(1, random.choice((1, 100)), *fees, f"market {number}")
            for number in range(1, MARKETS + 1):
                frames.lifecycle(commands.MARKET_OPEN, number, 0)
            if random.random() < CALLED:
                # The market with most orders opens once more, by a call.
                frames.lifecycle(commands.MARKET_HALT, 1, 0)
                frames.auction_call(1, 0)
            # Guards wide enough to let most trade happen, in every run.
            frames.guards_set(MARKETS, 0, 0, 500, 200_000_000, 50_000_000)
            operator.knowledge.deposits = TRADERS
            return frames.count

        async def furnish() -> None:
            operator.write(write)
            await operator.session.drained()
            operator.trade()
            for number in range(1, TRADERS + 1):
                trader = self._client(number, trader_key(number), TRADER)
                trader.open(trader.trade)
            self._add_reader()

        operator.loop.create_task(furnish())

    def stop_clients(self) -> None:
        """Have every client write no more."""
        self.closing = True
        for client in self.clients:
            client.stop()

    def acknowledged(self, client: ClientHost, count: int, newest: int) -> None:
        """Hear that a client got replies, the newest of them to a command at index `newest`."""
        self.newest_told = max(self.newest_told, newest)
        self.acknowledged_at_ns.append(self.scheduler.now_ns)
        self.trace(3, client.number, count)

    def answered(self, answer: Answered) -> None:
        """Hear that a reader got an answer."""
        self.trace(8, answer.subject, answer.log_index)
        self._watch("answered", answer)
        if answer.linearizable:
            self.newest_told = max(self.newest_told, answer.log_index)

    def heard(self, following: Following, frames: bytes) -> None:
        """Hear that a subscriber got events."""
        self.trace(9, following.feed, following.stream, len(frames))
        self._watch("heard", following, frames)

    # Watching: what hosts tell.

    def started(self, host: Host) -> None:
        """Put ourselves between a new node and what it tells."""
        node = host.node
        assert node is not None
        self.trace(4, host.number, host.lives)
        self.note(host.lane, "start", f"starts for the {host.lives}. time")
        self._watch_roles(host, node)
        self._watch_applies(host, node)
        self._watch_refusals(host, node)
        self._watch_stamps(host, node)
        self._watch("started", host)

    def _watch_roles(self, host: Host, node: Assembly) -> None:
        tell = node.replica._core.on_state

        def state_changed(state: int) -> None:
            tell(state)
            self.trace(5, host.number, state, node.replica.term)
            if state == LEADER:
                self.note(host.lane, "leader", f"leads term {node.replica.term}")
            self._watch("state_changed", host, state)

        node.replica._core.on_state = state_changed

    def _watch_applies(self, host: Host, node: Assembly) -> None:
        machine, apply = node.machine, node.machine.apply

        def applied(index: int, term: int, group: bytes) -> None:
            apply(index, term, group)
            if host.alive:
                venue, now_ns = machine.venue, self.scheduler.now_ns
                came_to = (venue.digest, venue.replies, venue.events)
                self._applied(host, Applied(index, term, group, *came_to, host.number, now_ns))

        machine.apply = applied  # type: ignore[method-assign]

    def _watch_refusals(self, host: Host, node: Assembly) -> None:
        tell = node.replica._on_refusal

        def refused(error: ConsensusError) -> None:
            tell(error)
            if isinstance(error, WireError):
                what = f"node {host.number} cannot read what a peer sent: {error}"
                self.violate(ViolationError("peers are understood", what))

        node.replica._on_refusal = refused

    def _watch_stamps(self, host: Host, node: Assembly) -> None:
        proposer = node._proposer
        stamp = proposer.stamp

        def stamped() -> int:
            stamp_ns = stamp()
            self._watch("stamped", host, stamp_ns)
            return stamp_ns

        proposer.stamp = stamped

    def _applied(self, host: Host, applied: Applied) -> None:
        first = self.log.add(applied)
        if first:
            entry = JournalEntry(applied.index, applied.term, 0, applied.group)
            try:
                self.replay.feed([entry])
            except AssertionError as error:
                self.violate(ViolationError(REPLAY_EQUALS_LIVE, repr(error)))
            if self.replay.venue.digest != applied.digest:
                what = f"node {host.number} at {applied.index} differs from a replay of the log"
                self.violate(ViolationError(REPLAY_EQUALS_LIVE, what))
        self.trace(6, host.number, applied.index, int.from_bytes(applied.digest[:7], "little"))
        self._watch("applied", host, applied, first=first)

    def _watch(self, occasion: str, *seen: object, **known: object) -> None:
        """Let invariants look; the first violation ends the run, whoever is running."""
        if self.violation is not None:
            return
        try:
            for look in self._looking[occasion]:
                look(*seen, **known)
        except ViolationError as violation:
            self.violate(violation)
        except Exception as error:  # noqa: BLE001 - a look that fails has found something, whatever it is
            self.violate(ViolationError("invariants can be looked at", repr(error)))

    def violate(self, violation: ViolationError) -> None:
        """Keep the first violation: the run ends behind the current step."""
        if self.violation is None:
            self.violation = violation
            self.scheduler.stop()
            self.note("cluster", "violation", str(violation))

    def stopped_itself(self, host: Host, event: str, error: BaseException | None) -> None:
        """Take note of a node that ended its own process; only a fault of its disk excuses it."""
        self.note(host.lane, "stop", f"stops itself: {event}: {error!r}")
        if not (host.excused and isinstance(error, OSError) and error.errno == host.excused):
            self.violate(ViolationError("nodes do not stop", f"node {host.number}: {error!r}"))

    def refused_to_start(self, host: Host, error: Exception) -> None:
        """Take note of a node that will not start; only a damaged disk excuses it."""
        self.note(host.lane, "refuse", f"refuses to start: {error}")
        damaged = host.excused == DAMAGED and isinstance(error, JournalDamageError)
        failed = isinstance(error, OSError) and error.errno == host.excused
        if not (damaged or failed):
            self.violate(ViolationError("nodes start", f"node {host.number}: {error!r}"))

    def broke_promise(self, host: Host, what: str) -> None:
        """Take note of a node that trusts a disk which it may not trust."""
        self.violate(ViolationError("failures of disks are noticed", f"node {host.number}: {what}"))

    def uncaught(self, host: Host, report: dict[str, Any]) -> None:
        """Take note of an exception that nobody caught."""
        what = f"node {host.number}: {report.get('message')} {report.get('exception')!r}"
        self.violate(ViolationError("no uncaught exception", what))

    def client_error(self, client: ClientHost | ReaderHost, report: dict[str, Any]) -> None:
        """Take note of an exception that nobody caught in a client."""
        what = f"client {client.number}: {report.get('message')} {report.get('exception')!r}"
        self.violate(ViolationError("no uncaught exception", what))

    # The trace and the timeline.

    def _arrived(self, sender: str, receiver: str, size: int) -> None:
        self.trace(1, _ordinal(sender), _ordinal(receiver), size)

    def trace(self, kind: int, one: int = 0, other: int = 0, third: int = 0) -> None:
        """Take something that happened into the hash of the run."""
        self._trace.update(_TRACE.pack(self.scheduler.now_ns << 4 | kind, one, other, third))

    @property
    def trace_hash(self) -> str:
        """A hash over all that happened, and when."""
        return self._trace.hexdigest(length=16)

    def note(self, lane: str, kind: str, text: str, until_ms: float = -1.0) -> None:
        """Put something on the timeline."""
        if self._record:
            self.timeline.append(Moment(self.now_ms, lane, kind, text, until_ms))

    @property
    def now_ms(self) -> float:
        """Milliseconds since the start."""
        return (self.scheduler.now_ns - START_NS) / 1e6

    # The course of a run.

    def run(self, seconds: float) -> None:
        """Let time pass, up to a violation."""
        end_ns = self.scheduler.now_ns + round(seconds * 1e9)
        if self.violation is None:
            self.scheduler.run_until(end_ns)

    def heal(self) -> None:
        """End all faults and start whatever does not run."""
        self.network.heal()
        for host in self.hosts.values():
            host.heal()

    def come_to_rest(self, most_seconds: float) -> None:
        """Run until every client has its replies and all nodes have applied the same."""
        waited = 0.0
        while self.violation is None and waited < most_seconds:
            self.run(0.05)
            waited += 0.05
            told = all(client.is_idle for client in self.clients)
            if told and all(reader.is_idle for reader in self.readers) and self._agree():
                self.converged = True
                return

    def _agree(self) -> bool:
        indexes = set()
        for host in self.hosts.values():
            node = host.node
            if node is None or node.replica.recovering or node.machine.venue.work_pending:
                return False
            indexes.add((node.replica.applied_index, node.replica.commit_index))
        return len(indexes) == 1

    def judge(self) -> None:
        """Let the invariants look at the end."""
        self._watch("ended")

    @property
    def work(self) -> dict[str, int]:
        """How much was simulated, by name."""
        hosts = self.hosts.values()
        return {
            "steps": self.scheduler.steps,
            "segments sent": self.network.segments,
            "groups": len(self.log.by_index),
            "syncs": sum(host.disk.syncs for host in hosts),
            "snapshots": sum(host.store.commits for host in hosts),
        }

    def describe(self) -> str:
        """Return where every node stands."""
        told = []
        for number, host in self.hosts.items():
            if host.node is None:
                told.append(f"{number}: down")
                continue
            replica = host.node.replica
            told.append(
                f"{number}: {replica.role.name.lower()} term {replica.term} commit "
                f"{replica.commit_index} applied {replica.applied_index} of {replica.last_index}"
                f"{' recovering' if replica.recovering else ''}"
            )
        return "; ".join(told)


@lru_cache(maxsize=1_024)
def _ordinal(address: str) -> int:
    """Return a number of its own for each host."""
    *_, network, host = address.split(".")
    return 256 * int(network) + int(host)
