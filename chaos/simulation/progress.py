"""How far a long campaign has come, in a file, so that it can be run in slices."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from chaos.report.run_report import RunReport
from chaos.report.source_commit import UNKNOWN, why_unknown
from chaos.simulation.seed_run import Case

_SAVE_EVERY: Final = 200


class Campaign(msgspec.Struct):
    """One range of seeds under the same conditions, and what its first `done` seeds came to."""

    report: RunReport
    done: int = 0


class Progress:
    """Goes on where the file says that the last slice stopped; without a file, starts over."""

    def __init__(self, file: Path | None, report: RunReport, cases: Sequence[Case]) -> None:
        """Read `file`; `report` is the one to fill when there is none yet for these cases.

        What other commits did is kept in the file, and does not count for this one. Raises
        ValueError for a file that is no state, and for sources that no commit names: what they did
        could not be told from what others did.
        """
        self._file = file
        self._campaigns: dict[str, Campaign] = {}
        self._unsaved = 0
        self._cases = cases
        self.trouble = ""
        """Why the file could not be written; "" while it could."""
        if file is not None:
            _require_commit(report.commit)
            self._campaigns = _read(file)
        conditions = _conditions(cases)
        self._campaign = self._campaigns.setdefault(
            _name(conditions, report.commit), Campaign(report)
        )
        self.report = self._campaign.report
        self.others = [
            campaign
            for name, campaign in self._campaigns.items()
            if campaign is not self._campaign and name == _name(conditions, campaign.report.commit)
        ]
        """The same seeds under the same conditions, run by other commits."""

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
        """Write the file; where that fails, `trouble` says why."""
        if self._file is None:
            return
        self._unsaved = 0
        draft = self._file.with_suffix(".new")
        try:
            draft.write_bytes(msgspec.json.encode(self._campaigns))
            draft.replace(self._file)
        except OSError as error:
            self.trouble = f"{self._file} cannot be written: {error}"


def _require_commit(commit: str) -> None:
    if commit == UNKNOWN:
        raise ValueError(f"--state counts by commit, and there is none here: {why_unknown()}")
    if not commit.isalnum():
        raise ValueError(
            f"--state counts by commit, and the sources are {commit!r}: commit first, or leave "
            "--state out"
        )


def _read(file: Path) -> dict[str, Campaign]:
    """Return what is in `file`, by conditions and commit; older files have no commit there."""
    if not file.exists():
        return {}
    try:
        campaigns = msgspec.json.decode(file.read_bytes(), type=dict[str, Campaign])
    except (OSError, msgspec.MsgspecError) as error:
        raise ValueError(f"{file} is no state of a campaign: {error}") from error
    return {
        _name(name.partition(_AT)[0], campaign.report.commit): campaign
        for name, campaign in campaigns.items()
    }


_AT: Final = " at "


def _name(conditions: str, commit: str) -> str:
    return f"{conditions}{_AT}{commit}"


def _conditions(cases: Sequence[Case]) -> str:
    """Name what the cases have in common: only such counts may be added up."""
    if not cases:
        return "nothing"
    first = cases[0]
    return " ".join(str(part) for part in (f"seeds {first.seed}..", *first[1:]))
