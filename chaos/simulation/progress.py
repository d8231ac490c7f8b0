"""How far a long campaign has come, in a file, so that it can be run in slices."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from chaos.report.run_report import RunReport
from chaos.simulation.seed_run import Case

_SAVE_EVERY = 200


class Campaign(msgspec.Struct):
    """One range of seeds under the same conditions, and what its first `done` seeds came to."""

    report: RunReport
    done: int = 0


class Progress:
    """Goes on where the file says that the last slice stopped; without a file, starts over."""

    def __init__(self, file: Path | None, report: RunReport, cases: Sequence[Case]) -> None:
        """Read `file`; `report` is the one to fill when there is none yet for these cases.

        What another commit did does not count: it starts over. Raises ValueError for sources that
        no commit names: what they did could not be told from what others did.
        """
        self._file = file
        self._campaigns: dict[str, Campaign] = {}
        self._unsaved = 0
        self._cases = cases
        self._name = _conditions(cases)
        if file is not None:
            if not report.commit.isalnum() or report.commit == "unknown":
                raise ValueError(
                    f"the sources are {report.commit!r}, not a commit: commit first, or leave "
                    "--state out"
                )
            if file.exists():
                self._campaigns = msgspec.json.decode(file.read_bytes(), type=dict[str, Campaign])
        known = self._campaigns.get(self._name)
        if known is None or known.report.commit != report.commit:
            known = self._campaigns[self._name] = Campaign(report)
        self._campaign = known
        self.report = known.report

    def left(self) -> Sequence[Case]:
        """Return the cases that are still to be run."""
        return self._cases[self._campaign.done :]

    def done(self) -> None:
        """Note that one more case has been run, in order."""
        self._campaign.done += 1
        self._unsaved += 1
        if self._unsaved >= _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """Write the file."""
        if self._file is not None:
            self._unsaved = 0
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft = self._file.with_suffix(".new")
            draft.write_bytes(msgspec.json.encode(self._campaigns))
            draft.replace(self._file)


def _conditions(cases: Sequence[Case]) -> str:
    """Name what the cases have in common: only such counts may be added up."""
    if not cases:
        return "nothing"
    first = cases[0]
    return " ".join(str(part) for part in (f"seeds {first.seed}..", *first[1:]))
