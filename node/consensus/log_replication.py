"""The leader's side of replication: what to send to whom, and what a quorum has made durable."""

from collections.abc import Callable

from node.consensus.errors import LogContradictionError
from node.consensus.journal import Journal
from node.consensus.outbound import Outbound
from node.consensus.peer_messages import Append, Appended
from node.consensus.peer_progress import Progress
from node.consensus.raft_core import RaftCore
from node.consensus.timing import Timing


class LogReplication:
    """Sends entries, pipelined and within a window for each peer, and counts what comes back."""

    def __init__(
        self,
        core: RaftCore,
        outbound: Outbound,
        peers: dict[int, Progress],
        timing: Timing,
        now: Callable[[], float],
        stamp_ns: Callable[[], int],
    ) -> None:
        """Send for `core` to `peers`; `stamp_ns` is the leader's time, carried by every message."""
        self._core = core
        self._journal: Journal = core.journal
        self._outbound = outbound
        self._peers = peers
        self._timing = timing
        self._now = now
        self._stamp_ns = stamp_ns
        self._quorum = (len(peers) + 1) // 2 + 1
        self.rewinds = 0
        self.first_index = 0
        """The first entry of the term led last."""

    def start_term(self) -> None:
        """Begin to lead: nothing is known of anybody's log."""
        now = self._now()
        self.first_index = self._journal.last_index + 1
        for progress in self._peers.values():
            progress.start_term(self.first_index, now)

    def behind_base(self, progress: Progress) -> bool:
        """Tell whether the journal no longer holds what the peer needs next."""
        return progress.next_index <= self._journal.base_index

    def send(self, progress: Progress) -> None:
        """Send what the peer has not been sent, as far as its window allows.

        A heartbeat when one is due.
        """
        if not progress.connected:
            return
        now = self._now()
        self._resend_if_stuck(progress, now)
        if progress.transfer is not None or self.behind_base(progress):
            if now - progress.sent_at >= self._timing.heartbeat:
                # It says who leads and claims nothing about the log.
                self._send(progress, 0, 0, [], 0)
            return
        commit = self._core.commit_index
        sent = False
        while self._may_send(progress):
            sent = True
            entries, size = self._gather(progress.next_index)
            previous = progress.next_index - 1
            self._send(progress, previous, self._journal.term_at(previous), entries, commit)
            if not progress.in_flight:
                progress.progress_at = now
            progress.in_flight.append((progress.next_index, entries[-1][1], size))
            progress.next_index = entries[-1][1] + 1
            progress.in_flight_bytes += size
        if sent:
            return
        if commit > progress.commit_sent or now - progress.sent_at >= self._timing.heartbeat:
            previous = progress.next_index - 1
            self._send(progress, previous, self._journal.term_at(previous), [], commit)

    def _may_send(self, progress: Progress) -> bool:
        if progress.next_index > self._journal.last_index:
            return False
        if progress.probing:
            return not progress.in_flight
        return progress.in_flight_bytes < self._timing.window_bytes

    def _gather(self, first: int) -> tuple[list[tuple[bytes, int, int]], int]:
        """Return entries from `first` on that fit one message, at least one, and their size."""
        entries = self._journal.entries
        start = first - self._journal.base_index
        size = 0
        at = start
        while at < len(entries):
            size_next = size + len(entries[at][0]) + 16
            if at > start and size_next > self._timing.frame_bytes:
                break
            size = size_next
            at += 1
        return entries[start:at], size

    def _send(
        self,
        progress: Progress,
        previous: int,
        previous_term: int,
        entries: list[tuple[bytes, int, int]],
        commit: int,
    ) -> None:
        progress.sent_at = self._now()
        progress.commit_sent = max(progress.commit_sent, commit)
        term = self._core.term
        message = Append(
            term, progress.probe, previous, previous_term, commit, self._stamp_ns(), entries
        )
        self._outbound.now(progress.peer, message)

    def _resend_if_stuck(self, progress: Progress, now: float) -> None:
        if progress.in_flight and now - progress.progress_at > self._timing.retry:
            self.rewinds += 1
            progress.progress_at = now
            progress.rewind(max(progress.match_index + 1, progress.in_flight[0][0]))

    def receive(self, progress: Progress, message: Appended) -> None:
        """Take a follower's answer in the current term."""
        now = self._now()
        progress.recovering = message.recovering
        if message.recovering:
            progress.match_index = 0
        else:
            progress.heard_at = now
        if not message.accepted:
            if message.probe == progress.probe:
                self.rewinds += 1
                progress.rewind(min(message.next_index, progress.next_index))
            return
        matched = message.next_index - 1
        if matched > self._journal.last_index:
            raise LogContradictionError(
                f"node {progress.peer} acknowledges {matched}, "
                f"our log ends at {self._journal.last_index}"
            )
        if message.probe == progress.probe:
            progress.acknowledge(message.next_index)
        progress.progress_at = now
        if matched > progress.match_index and not message.recovering:
            progress.match_index = matched
            if progress.hold_index is not None:
                progress.hold_index = None if matched == self._journal.last_index else matched
            self.count()

    def count(self) -> None:
        """Tell the core what a quorum holds durably.

        This node counts only as far as its own disk is.

        The core counts itself for every entry: matches are clamped to what the true quorum has.
        """
        matches = [self._journal.synced_index]
        matches.extend(progress.match_index for progress in self._peers.values())
        durable = sorted(matches, reverse=True)[self._quorum - 1]
        for progress in self._peers.values():
            counted = min(progress.match_index, durable)
            if counted > progress.counted_index:
                progress.counted_index = counted
                self._core.set_match(progress.peer, counted)
