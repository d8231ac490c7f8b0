"""What pysyncobj is given in place of its own journal, transport and poller."""

from collections.abc import Callable
from typing import Any, Protocol

from pysyncobj.node import Node
from pysyncobj.transport import Transport

from node.consensus.journal import Journal


class VoteListener(Protocol):
    """Who hears of the messages that the core still sends by itself."""

    on_vote_request: Callable[[int], None]
    on_vote: Callable[[int, int], None]


class PeerNode(Node):  # type: ignore[misc]
    """A node of the cluster, named by its number.

    The hash is the number so that sets keep one order.
    """

    def __hash__(self) -> int:
        """Return the number."""
        return int(self.id)

    def __eq__(self, other: object) -> bool:
        """Compare by number."""
        return isinstance(other, PeerNode) and self.id == other.id


class CoreLog:
    """A Journal under the method names that pysyncobj calls."""

    def __init__(self, journal: Journal) -> None:
        """Stand in for `journal`."""
        self._journal = journal

    def __len__(self) -> int:
        return len(self._journal.entries)

    def __getitem__(self, place: int | slice) -> Any:  # noqa: ANN401 - an entry or a list of them.
        return self._journal.entries[place]

    def add(self, payload: bytes, index: int, term: int) -> None:
        """Record an entry."""
        self._journal.append(payload, index, term)

    def deleteEntriesFrom(self, place: int) -> None:  # noqa: N802
        """Cut at a place in the list."""
        self._journal.truncate_from(self._journal.base_index + place)

    def setRaftCommitIndex(self, index: int) -> None:  # noqa: N802
        """Take note of the commit index, which never falls."""
        assert index >= self._journal.commit, f"commit index {index} after {self._journal.commit}"
        self._journal.commit = index

    def getRaftCommitIndex(self) -> int:  # noqa: N802
        """Return the last commit index known to be true."""
        return min(self._journal.commit, self._journal.last_index)

    def setCurrentTerm(self, term: int, vote: int | None) -> None:  # noqa: N802
        """Record term and vote."""
        self._journal.save_vote(term, vote or 0)

    def getCurrentTerm(self) -> int:  # noqa: N802
        """Return the term."""
        return self._journal.term

    def getVotedForNodeId(self) -> int | None:  # noqa: N802
        """Return the vote, or None."""
        return self._journal.vote or None

    def onOneSecondTimer(self) -> None:  # noqa: N802
        """Nothing waits for it."""


class CoreOutbox(Transport):  # type: ignore[misc]
    """Hands the two messages that the core still sends to `on_vote_request` and `on_vote`."""

    def __init__(self, core: VoteListener, me: PeerNode, others: set[PeerNode]) -> None:
        super().__init__(core, me, others)
        self._core = core

    def send(self, node: PeerNode, message: dict[str, Any]) -> bool:
        """Hand on a vote or a request for one, and drop what the guard says itself."""
        kind = message["type"]
        if kind == "request_vote":
            self._core.on_vote_request(node.id)
        elif kind == "response_vote":
            self._core.on_vote(node.id, message["term"])
        return True

    def node_connected(self, node: PeerNode) -> None:
        """Tell the core."""
        self._onNodeConnected(node)

    def node_disconnected(self, node: PeerNode) -> None:
        """Tell the core."""
        self._onNodeDisconnected(node)

    def deliver(self, node: PeerNode, message: dict[str, Any]) -> None:
        """Tell the core what a peer said."""
        self._onMessageReceived(node, message)


class NoPoller:
    """Polls nothing."""

    def poll(self, _timeout: float) -> None:
        """No descriptor is pysyncobj's."""
