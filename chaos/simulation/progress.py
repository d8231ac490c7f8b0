"""How far a long campaign has come, in a file, so that it can be run in slices."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from chaos.report.run_report import RunReport
from chaos.simulation.seed_run import Case

_SAVE_EVERY = 200


class Saved(msgspec.Struct):
    """What is in the file: for each number of nodes, the next seed and the report so far."""

    next_seed: dict[str, int] = msgspec.field(default_factory=dict)
    reports: dict[str, RunReport] = msgspec.field(default_factory=dict)


class Progress:
    """Goes on where the file says that the last slice stopped; without a file, starts over."""

    def __init__(self, file: Path | None, report: RunReport, nodes: str) -> None:
        """Read `file`; `report` is the one to fill when there is none yet.

        A file of another commit starts over: other code gives other runs.
        """
        self._file = file
        self._nodes = nodes
        self._saved = Saved()
        self._unsaved = 0
        if file is not None and file.exists():
            self._saved = msgspec.json.decode(file.read_bytes(), type=Saved)
        known = self._saved.reports.get(nodes)
        if known is not None and known.commit == report.commit:
            report = known
        else:
            self._saved.next_seed.pop(nodes, None)
        self.report = report
        self._saved.reports[nodes] = report

    def left(self, cases: Sequence[Case]) -> list[Case]:
        """Return the cases that are still to be run."""
        first = self._saved.next_seed.get(self._nodes, 0)
        return [case for case in cases if case.seed >= first]

    def done(self, seed: int) -> None:
        """Note that `seed` and all before it have been run."""
        if self._file is None:
            return
        self._saved.next_seed[self._nodes] = seed + 1
        self._unsaved += 1
        if self._unsaved >= _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the file."""
        if self._file is not None:
            self._unsaved = 0
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".new")
            draft.write_bytes(msgspec.json.encode(self._saved))
            draft.replace(self._file)
