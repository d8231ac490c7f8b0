"""pysyncobj's Raft core, pinned to one source, without its transport, journal, pickles or clock.

What stays pysyncobj's: terms, votes, the log's rules on a follower, counting commits, roles. What
is replaced, by overriding the private methods named in `PRIVATE_NAMES`: sending entries (its loop
cannot be flow-controlled and falls back to pickled snapshots), applying (it retries a failed
command for ever and never yields), and compaction (it serialises the whole state in the loop).
"""

from collections.abc import Callable, Sequence
from typing import Final

import pysyncobj.syncobj
from pysyncobj import SyncObj, SyncObjConf

from node.consensus.core_pin import PINNED_VERSION
from node.consensus.core_seams import CoreLog, CoreOutbox, NoPoller, PeerNode
from node.consensus.journal import Journal
from node.consensus.journal_recovery import Entry

assert PINNED_VERSION  # Importing `core_pin` has checked the source that this file relies on.

GROUP: Final = b"\x00"
"""First byte of an entry that holds a group (pysyncobj's REGULAR)."""
NO_OP: Final = b"\x01"
"""The entry with which a leader starts its term."""
FOLLOWER, CANDIDATE, LEADER = 0, 1, 2

PRIVATE_NAMES: Final = (
    "_SyncObj__applyLogEntries",
    "_SyncObj__doApplyCommand",
    "_SyncObj__generateRaftTimeout",
    "_SyncObj__sendAppendEntries",
    "_SyncObj__setState",
    "_SyncObj__setCurrentTerm",
    "_SyncObj__tryLogCompaction",
    "_applyCommand",
    "_checkCommandsToApply",
    "_getLeader",
    "_isLeader",
)
"""Methods of SyncObj that are called or replaced here."""
PRIVATE_FIELDS: Final = (
    "_SyncObj__raftCommitIndex",
    "_SyncObj__raftElectionDeadline",
    "_SyncObj__raftLastApplied",
    "_SyncObj__raftLeader",
    "_SyncObj__raftState",
    "_poller",
)
"""Fields of a SyncObj that are read or set here."""
_NEVER: Final = 1e12


def _configuration(on_state: Callable[[int, int], None]) -> SyncObjConf:
    return SyncObjConf(
        autoTick=False,
        appendEntriesUseBatch=True,  # Else it writes to a pipe of its own at every proposal.
        appendEntriesPeriod=1e9,
        raftMinTimeout=_NEVER,
        raftMaxTimeout=2 * _NEVER,
        connectionTimeout=3 * _NEVER,
        leaderFallbackTimeout=_NEVER,
        commandsQueueSize=0,
        commandsWaitLeader=False,
        fullDumpFile=None,
        journalFile=None,
        useFork=False,
        dynamicMembershipChange=False,
        onStateChanged=on_state,
    )


class RaftCore(SyncObj):  # type: ignore[misc]
    """One replica's Raft state, driven by calls: nothing here waits, sends or reads a clock.

    The caller sets the four `on_` callbacks before the first call. `apply` may raise: then the
    replica must stop, and nothing here retries.
    """

    def __init__(
        self,
        node: int,
        peers: Sequence[int],
        journal: Journal,
        apply: Callable[[int, int, bytes], None],
    ) -> None:
        """Start from `journal` as a follower that has applied nothing but the journal's base."""
        self.journal = journal
        self._apply = apply
        self._peers = {peer: PeerNode(peer) for peer in peers}
        self.on_vote_request: Callable[[int], None] = lambda _peer: None
        self.on_vote: Callable[[int, int], None] = lambda _peer, _term: None
        self.on_state: Callable[[int], None] = lambda _state: None
        self._outbox: CoreOutbox
        self._construct(node)
        self._poller = NoPoller()
        self.start_at(journal.base_index)

    def _construct(self, node: int) -> None:
        def make_outbox(core: "RaftCore", me: PeerNode, others: set[PeerNode]) -> CoreOutbox:
            self._outbox = CoreOutbox(core, me, others)
            return self._outbox

        make_journal = pysyncobj.syncobj.createJournal
        pysyncobj.syncobj.createJournal = lambda _file: CoreLog(self.journal)
        try:
            super().__init__(
                PeerNode(node),
                set(self._peers.values()),
                conf=_configuration(lambda _old, new: self.on_state(new)),
                nodeClass=PeerNode,
                transportClass=make_outbox,
            )
        finally:
            pysyncobj.syncobj.createJournal = make_journal

    def start_at(self, index: int) -> None:
        """Take everything up to `index` for committed and applied.

        A snapshot that is loaded ends there.
        """
        assert self.journal.holds(index)
        self._SyncObj__raftLastApplied = index
        self._SyncObj__raftCommitIndex = max(self.commit_index, index)
        self.journal.commit = self.commit_index

    # What the core knows.

    @property
    def term(self) -> int:
        """The current term."""
        return int(self.raftCurrentTerm)

    @property
    def commit_index(self) -> int:
        """The last entry known to be committed."""
        return int(self.raftCommitIndex)

    @property
    def applied_index(self) -> int:
        """The last entry applied."""
        return int(self.raftLastApplied)

    @property
    def is_leader(self) -> bool:
        """Whether this node leads in the current term, as far as it knows."""
        return bool(self._SyncObj__raftState == LEADER)

    @property
    def state(self) -> int:
        """FOLLOWER, CANDIDATE or LEADER."""
        return int(self._SyncObj__raftState)

    @property
    def leader(self) -> int | None:
        """The leader of the current term, if known."""
        leader = self._getLeader()
        return None if leader is None else int(leader.id)

    # What happens to it.

    def connect(self, peer: int) -> None:
        """Take note of a connection to `peer`."""
        self._outbox.node_connected(self._peers[peer])

    def disconnect(self, peer: int) -> None:
        """Take note that `peer` is not connected."""
        self._outbox.node_disconnected(self._peers[peer])

    def receive_append(
        self, peer: int, term: int, previous: tuple[int, int], entries: list[Entry], commit: int
    ) -> None:
        """Add `entries` behind `previous`, an (index, term) in the log; move the commit index."""
        self._outbox.deliver(
            self._peers[peer],
            {
                "type": "append_entries",
                "term": term,
                "prevLogIdx": previous[0],
                "prevLogTerm": previous[1],
                "entries": entries,
                "commit_index": commit,
            },
        )

    def receive_heartbeat(self, peer: int, term: int, commit: int) -> None:
        """Follow `peer` in `term` without touching the log.

        `commit` must lie in the verified prefix.
        """
        journal = self.journal
        self.receive_append(peer, term, (journal.last_index, journal.last_term), [], commit)

    def receive_vote_request(self, peer: int, term: int, last_index: int, last_term: int) -> None:
        """Vote for `peer` if Raft allows it: then `on_vote` is called."""
        self._outbox.deliver(
            self._peers[peer],
            {
                "type": "request_vote",
                "term": term,
                "last_log_index": last_index,
                "last_log_term": last_term,
            },
        )

    def receive_vote(self, peer: int, term: int) -> None:
        """Count the vote of `peer`, which must be its first in `term`."""
        self._outbox.deliver(self._peers[peer], {"type": "response_vote", "term": term})

    def set_match(self, peer: int, index: int) -> None:
        """Count `peer` for entries up to `index`.

        This node itself counts always, so clamp to what is durable.
        """
        self._outbox.deliver(
            self._peers[peer],
            {"type": "next_node_idx", "reset": False, "success": True, "next_node_idx": index + 1},
        )

    def campaign(self) -> None:
        """Stand for election in the next term: `on_vote_request` is called for every peer."""
        self._SyncObj__raftElectionDeadline = -1.0
        self.doTick(0)

    def enter_term(self, term: int) -> None:
        """Follow nobody yet in `term`, which is a later one."""
        assert term > self.term, f"term {term} after {self.term}"
        self._SyncObj__setCurrentTerm(term, None)
        self.step_down()

    def step_down(self) -> None:
        """Stop leading or campaigning, in the same term."""
        self._SyncObj__raftLeader = None
        self._SyncObj__setState(FOLLOWER)

    def propose(self, payload: bytes) -> int:
        """Append `payload` to the leader's log and return its index."""
        assert self.is_leader
        self._applyCommand(payload, None)
        self._checkCommandsToApply()
        assert self.journal.entries[-1][0] is payload
        return self.journal.last_index

    def install(self, index: int, term: int) -> None:
        """Continue behind an installed snapshot that ends at (index, term), already loaded.

        The log behind it is kept if it agrees with the snapshot, as the paper has it.
        """
        journal = self.journal
        assert index > self.applied_index, f"snapshot {index} under applied {self.applied_index}"
        if journal.holds(index) and journal.term_at(index) == term:
            journal.drop_before(index)
        else:
            assert journal.last_index < index or self.commit_index < index
            journal.reset(index, term)
        self._SyncObj__raftLastApplied = index
        self._SyncObj__raftCommitIndex = max(self.commit_index, index)
        journal.commit = max(journal.commit, index)

    def apply_committed(self, most: Callable[[], bool]) -> int:
        """Apply committed entries in order until none is left or `most()` is true.

        Return how many.
        """
        applied = 0
        journal = self.journal
        while self.raftLastApplied < self.raftCommitIndex:
            payload, index, term = journal.entries[self.raftLastApplied + 1 - journal.base_index]
            self._SyncObj__doApplyCommand((payload, index, term))
            self._SyncObj__raftLastApplied = index
            applied += 1
            if most():
                break
        return applied

    # Replaced parts of pysyncobj.

    def _SyncObj__doApplyCommand(self, entry: Entry) -> None:
        payload, index, term = entry
        kind = payload[:1]
        if kind == GROUP:
            self._apply(index, term, payload[1:])
        else:
            assert kind == NO_OP, f"entry {index} is of kind {kind!r}"

    def _SyncObj__applyLogEntries(self) -> bool:
        return False

    def _SyncObj__sendAppendEntries(self) -> None:
        return None

    def _SyncObj__tryLogCompaction(self) -> None:
        return None

    def _SyncObj__generateRaftTimeout(self) -> float:
        return 2 * _NEVER
