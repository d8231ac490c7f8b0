"""Linearizable reads without writing to the log.

The commit index, once a quorum confirmed who leads.
"""

from collections import deque
from collections.abc import Callable

from node.consensus.outbound import Outbound
from node.consensus.peer_messages import ReadProbe, ReadProbed
from node.consensus.peer_progress import Progress
from node.consensus.raft_core import RaftCore

Answer = Callable[[int | None], None]


class ReadIndex:
    """Collects questions and answers them by rounds.

    One round confirms everything asked before it.
    """

    def __init__(self, core: RaftCore, outbound: Outbound, peers: dict[int, Progress]) -> None:
        """Confirm `core`'s leadership with `peers`."""
        self._core = core
        self._outbound = outbound
        self._peers = peers
        self._needed = (len(peers) + 1) // 2
        self._number = 0
        self._term = 0
        self._asked: list[Answer] = []
        self._waiting: deque[tuple[int, int, Answer]] = deque()

    def ask(self, answer: Answer) -> None:
        """Call `answer` with an index to read at, or with None when this node cannot tell."""
        self._asked.append(answer)

    def start_round(self) -> None:
        """Send one probe for all questions asked so far."""
        if not self._asked:
            return
        core, journal = self._core, self._core.journal
        commit = core.commit_index
        if not core.is_leader or journal.term_at(commit) != core.term:
            # Until an entry of its own term is committed, a leader may not know all that was
            # acknowledged.
            self.fail()
            return
        self._number += 1
        self._term = core.term
        self._waiting.extend((self._number, commit, answer) for answer in self._asked)
        self._asked = []
        for progress in self._peers.values():
            if progress.connected:
                self._outbound.now(progress.peer, ReadProbe(core.term, self._number))

    def receive_probe(self, peer: int, message: ReadProbe) -> None:
        """Confirm, as a follower in the leader's term."""
        self._outbound.promise(peer, ReadProbed(message.term, message.number))

    def receive_answer(self, progress: Progress, message: ReadProbed) -> None:
        """Count a confirmation in the current term."""
        progress.read_number = max(progress.read_number, message.number)
        numbers = sorted(
            (other.read_number for other in self._peers.values() if not other.recovering),
            reverse=True,
        )
        if len(numbers) < self._needed or self._term != self._core.term:
            return
        confirmed = numbers[self._needed - 1]
        while self._waiting and self._waiting[0][0] <= confirmed:
            _number, index, answer = self._waiting.popleft()
            answer(index)

    def fail(self) -> None:
        """Answer None to everything: this node does not lead, or cannot know."""
        answers = [*(answer for _number, _index, answer in self._waiting), *self._asked]
        self._waiting.clear()
        self._asked = []
        for answer in answers:
            answer(None)
