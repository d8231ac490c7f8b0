"""Real-time order: what returned before something else was asked for is before it in the log.

One sweep over both orders of time after sorting: n log n comparisons and 2 n steps.
"""

from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from chaos.checkers.acknowledgement import Read
from chaos.checkers.execution_table import NEVER, ExecutionTable
from chaos.checkers.finding import REAL_TIME, Findings

_POSITION_BITS: Final = 20
"""Enough for the records of the largest group: 8 MiB, 24 bytes each."""
_BEHIND_ALL: Final = (1 << _POSITION_BITS) - 1


def place_of(index: int, position: int) -> int:
    """Return where the record at `position` of the group at `index` stands, as one number."""
    return index << _POSITION_BITS | position


def place_behind(index: int) -> int:
    """Return the place behind everything in the group at `index`: where a read of it stands."""
    return index << _POSITION_BITS | _BEHIND_ALL


def check_places(
    places: Sequence[int],
    invoked_ns: Sequence[int],
    returned_ns: Sequence[int],
    name: Callable[[int], str],
    findings: Findings,
) -> None:
    """Check operations, given as columns, whose places should respect real time.

    NEVER in `invoked_ns`: not in the history, not looked at. NEVER in `returned_ns`: it may take
    effect at any time after it was invoked. Equal times are no order.
    """
    asked = [row for row, at in enumerate(invoked_ns) if at != NEVER]
    asked.sort(key=invoked_ns.__getitem__)
    ended = [row for row in asked if returned_ns[row] != NEVER]
    ended.sort(key=returned_ns.__getitem__)
    furthest = -1
    furthest_place = -1
    passed = 0
    for row in asked:
        at = invoked_ns[row]
        while passed < len(ended) and returned_ns[ended[passed]] < at:
            if places[ended[passed]] > furthest_place:
                furthest = ended[passed]
                furthest_place = places[furthest]
            passed += 1
        if places[row] < furthest_place:
            late = at - returned_ns[furthest]
            findings.add(
                REAL_TIME,
                f"{name(row)} was invoked {late} ns after {name(furthest)} had returned",
            )
    findings.saw("ordered in real time", len(asked))
    findings.saw("steps", len(asked) + passed)


def check_real_time(table: ExecutionTable, reads: Iterable[Read], findings: Findings) -> None:
    """Check the commands in `table` whose times are known, and `reads` with an index."""
    columns = _Columns(table, list(reads))
    check_places(columns.places, columns.invoked_ns, columns.returned_ns, columns.name, findings)


class _Columns:
    """Commands, a session at a time, then reads."""

    def __init__(self, table: ExecutionTable, reads: list[Read]) -> None:
        self.places = array("q")
        self.invoked_ns = array("q")
        self.returned_ns = array("q")
        self._table = table
        self._reads = reads
        self._starts: list[int] = []
        self._sessions = list(table.sessions)
        for rows in table.sessions.values():
            self._starts.append(len(self.places))
            self.places.extend(map(place_of, rows.index, rows.position))
            self.invoked_ns.extend(rows.invoked_ns)
            self.returned_ns.extend(rows.returned_ns)
        self._commands = len(self.places)
        self.places.extend(place_behind(read.log_index) for read in reads)
        self.invoked_ns.extend(read.invoked_ns for read in reads)
        self.returned_ns.extend(read.returned_ns for read in reads)

    def name(self, row: int) -> str:
        """Return what stands in `row`, in words."""
        if row >= self._commands:
            read = self._reads[row - self._commands]
            return f"the read of client {read.client} as of index {read.log_index}"
        number = bisect_right(self._starts, row) - 1
        session = self._sessions[number]
        rows = self._table.sessions[session]
        row -= self._starts[number]
        return (
            f"session {session} sequence {rows.first + row} at index {rows.index[row]} "
            f"position {rows.position[row]}"
        )
