"""Retries change nothing: a log whose retries are blanked must come to the same.

A venue that executes a retry and repeats the old reply deceives whoever compares replies. So each
retry, told by its sequence and not by its reply, is given to a session that does not exist, which
leaves every byte count of the log as it is. All events and all other replies must stay the same.
"""

from typing import Final

from chaos.checkers.finding import TWICE, Findings
from chaos.checkers.log_record import LogRecord, LogReply, records_of, replies_of
from chaos.checkers.log_replay import LogReplay
from chaos.history import UNSTORED

_NOBODY: Final = (0x7FFF_FFFF).to_bytes(4, "little")


class RetryEffect:
    """Run a second venue beside the one that judges the log, and compare after each group."""

    def __init__(self, blanked: LogReplay) -> None:
        """Compare with `blanked`, a venue of its own that starts where the log does."""
        self._blanked: Final = blanked
        self._start: Final = blanked.index
        self._executed: dict[int, int] = {}
        self._differs = False
        self.findings = Findings()

    def feed(self, index: int, group: bytes, replies: bytes, events: bytes) -> None:
        """Compare what the group at `index` came to with what it comes to without its retries."""
        records, answers = list(records_of(group)), list(replies_of(replies))
        self.feed_records(index, group, records, answers, events)

    def feed_records(
        self,
        index: int,
        group: bytes,
        records: list[LogRecord],
        replies: list[LogReply],
        events: bytes,
    ) -> None:
        """Compare the same, given what the group and its replies hold."""
        if self._differs:
            return  # Everything behind a first difference may differ too.
        retries = self._retries(records, replies)
        if retries:
            blank = bytearray(group)
            for position in retries:
                at = records[position].at
                blank[at : at + len(_NOBODY)] = _NOBODY
            group = bytes(blank)
        blank_replies, blank_events = self._blanked.apply(index, group)
        self.findings.saw("retries blanked", len(retries))
        if blank_events != events:
            self._differs = True
            self.findings.add(
                TWICE, f"index {index}: without its {len(retries)} retries, other events follow"
            )
            return
        for position, blank_reply in enumerate(replies_of(blank_replies)):
            if position not in retries and replies[position] != blank_reply:
                self._differs = True
                self.findings.add(
                    TWICE,
                    f"index {index}: {replies[position]} would be {blank_reply} without the "
                    "retries before it",
                )
                return

    def _retries(self, records: list[LogRecord], replies: list[LogReply]) -> set[int]:
        """Return which of the group's records are retries."""
        retries = set()
        for position, (record, reply) in enumerate(zip(records, replies, strict=False)):
            if record.session == 0 or reply.code in UNSTORED:
                continue
            # From a snapshot on, a session's first command tells where it stands: a retry of
            # what came before it is none that could be told from it.
            first = 0 if self._start == 0 else record.sequence - 1
            executed = self._executed.get(record.session, first)
            if record.sequence <= executed:
                retries.add(position)
            elif reply.log_index > self._start:
                self._executed[record.session] = record.sequence
        return retries
