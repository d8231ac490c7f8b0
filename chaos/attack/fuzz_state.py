"""How far the attack on each decoder has come, over as many runs as it takes."""

from pathlib import Path
from typing import Final

import msgspec

_FILE: Final = "fuzz.json"
_FINDINGS: Final = "findings"


class Progress(msgspec.Struct):
    """One decoder's count. It belongs to a corpus and a source: another digest begins anew."""

    digest: str
    executions: int = 0
    next_batch: int = 0
    cpu_seconds: float = 0.0
    rss_kib: int = 0
    """The most memory that a process feeding it has had."""
    findings: int = 0


class FuzzState(msgspec.Struct):
    """The counts of all decoders under one seed."""

    seed: str
    progress: dict[str, Progress] = msgspec.field(default_factory=dict)
    outdated: int = 0
    """Executions of earlier sources, which count no more."""

    @property
    def executions(self) -> int:
        """Return how many executions count."""
        return sum(one.executions for one in self.progress.values())

    def of(self, target: str, digest: str) -> Progress:
        """Return the progress of `target`: a new one when its source or corpus has changed."""
        known = self.progress.get(target)
        if known is not None and known.digest == digest:
            return known
        if known is not None:
            self.outdated += known.executions
        self.progress[target] = Progress(digest)
        return self.progress[target]


def load_state(folder: Path, seed: str) -> FuzzState:
    """Return the state kept in `folder`, or a new one for `seed`."""
    file = folder / _FILE
    if not file.exists():
        return FuzzState(seed)
    return msgspec.json.decode(file.read_bytes(), type=FuzzState)


def save_state(folder: Path, state: FuzzState) -> None:
    """Keep `state` in `folder`, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{_FILE}.draft"
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(state), indent=1))
    draft.replace(folder / _FILE)


def saved_findings(folder: Path) -> list[tuple[str, Path]]:
    """Return the inputs kept by `save_finding`, each with the name of its target."""
    files = sorted((folder / _FINDINGS).glob("*-*.bin"))
    return [(file.stem.rpartition("-")[0], file) for file in files]


def save_finding(folder: Path, target: str, batch: int, data: bytes) -> Path:
    """Keep an input that broke a promise; return its file."""
    file = folder / _FINDINGS / f"{target}-{batch}.bin"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file
