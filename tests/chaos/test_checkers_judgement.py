"""The judgement on a whole run, from files: sound nodes pass, each kind of wrong is counted."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chaos.checkers.finding import (
    AGREEMENT,
    ALTERED,
    DURABLE,
    LOOKED,
    LOST,
    REAL_TIME,
    SOUND,
)
from chaos.checkers.judgement import Judgement, judge
from chaos.history import Operation, Outcome, write_history
from chaos.report.run_report import RunReport
from node.consensus.journal import Journal
from node.storage.data_directory import DataDirectory
from tests.chaos.checked_history import history_of, read_at
from tests.unit.audited_cluster import GENESIS, Log, build_log, write_node

LOG = build_log(60, checkpoint_every=20)
GROUPS = [(index, payload[1:]) for payload, index, _ in LOG.entries if payload[:1] == b"\0"]
HISTORY = history_of(GROUPS, width_ns=2_000)
END = LOG.entries[-1][1]

Judges = Callable[..., Judgement]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three nodes of one cluster: a whole log, a snapshot besides, and a log cut behind one."""
    root = tmp_path_factory.mktemp("nodes")
    return [
        write_node(root / "1", LOG),
        write_node(root / "2", LOG, snapshot_at=30),
        write_node(root / "3", LOG, snapshot_at=40, cut=True),
    ]


def recorded(path: Path, history: Sequence[Operation]) -> list[Path]:
    """Write a history as two files, the later half first."""
    half = len(history) // 2
    write_history(path / "a.jsonl", history[half:])
    write_history(path / "b.jsonl", history[:half])
    return [path / "a.jsonl", path / "b.jsonl"]


def altered(place: int, **fields: Any) -> list[Operation]:
    """Return the history with one operation changed."""
    changed = msgspec.structs.replace(HISTORY[place], **fields)
    return [*HISTORY[:place], changed, *HISTORY[place + 1 :]]


def test_a_sound_run_has_no_finding_and_all_of_it_was_looked_at(
    tmp_path: Path, nodes: list[Path]
) -> None:
    """Every invariant was checked at least once, on every operation and every node."""
    judgement = judge(recorded(tmp_path, HISTORY), nodes, genesis=GENESIS, complete=True)

    assert judgement.findings == []
    assert judgement.ok
    operations = judgement.operations
    assert operations.acknowledged + operations.rejected == len(HISTORY)
    assert all(judgement.checks.values())
    assert judgement.counts["nodes"] == 3
    assert judgement.counts["digests compared"] == 4
    assert judgement.counts["states conserved"] > 8


def test_the_same_node_alone_is_judged_from_its_snapshot_on(
    tmp_path: Path, nodes: list[Path]
) -> None:
    """What was acknowledged before the log starts is counted apart; its window still answers."""
    history = recorded(tmp_path, HISTORY)

    judgement = judge(history, nodes[2:])

    assert judgement.ok
    before = judgement.counts["before the log"]
    assert before == sum(operation.log_index <= 40 for operation in HISTORY)
    assert judgement.counts["before the log, in a window"] == before


def test_lost_altered_and_disordered_operations_are_counted(
    tmp_path: Path, nodes: list[Path]
) -> None:
    """Each kind has its own number in the report."""
    last = HISTORY[-1]
    history = [
        *altered(50, filled=HISTORY[50].filled + 1),
        msgspec.structs.replace(last, sequence=last.sequence + 1),
        read_at(last.log_index - 1, last.returned_ns + 1, last.returned_ns + 2),
        Operation(7, 1, last.sequence + 9, b"", 5, 0, Outcome.UNKNOWN),
    ]

    judgement = judge(recorded(tmp_path, history), nodes)

    assert judgement.found == {LOST: 1, ALTERED: 1, REAL_TIME: 1}
    assert (judgement.operations.lost, judgement.operations.altered) == (1, 1)
    assert (judgement.operations.unknown, judgement.operations.reads) == (1, 1)


def test_a_read_of_what_never_was_is_lost(tmp_path: Path, nodes: list[Path]) -> None:
    """An answer as of an index behind the end of every log."""
    history = [*HISTORY, read_at(END + 1, 10**9, 10**9 + 1)]

    assert judge(recorded(tmp_path, history), nodes).found[LOST] == 1


def test_an_acknowledgement_on_a_minority_is_told(tmp_path: Path, nodes: list[Path]) -> None:
    """Two of three nodes never got the end: it was acknowledged without a majority."""
    short = [write_node(tmp_path / str(node), LOG, last=END - 3) for node in (2, 3)]
    history = recorded(tmp_path, HISTORY)

    assert judge(history, [nodes[0], *short]).found == {DURABLE: 1}
    assert judge(history, [nodes[0], nodes[1], short[0]]).ok
    assert judge(history, nodes[:2], members=5).found == {DURABLE: 1}


def appended(root: Path, *entries: tuple[bytes, int, int]) -> Path:
    """Append entries to a node's journal, durable but not known to be committed."""
    journal = Journal(DataDirectory(root).journal)
    for entry in entries:
        journal.append(*entry)
    journal.sync()
    journal.close()
    return root


def test_a_tail_that_never_was_committed_may_differ(tmp_path: Path) -> None:
    """A deposed leader's log is longer, of an older term: it neither counts nor diverges."""
    led = [
        appended(write_node(tmp_path / str(node), LOG), (b"\x01", END + 1, 2)) for node in (1, 2)
    ]
    tail = [(b"\x01", END + further, 1) for further in (1, 2, 3)]
    deposed = appended(write_node(tmp_path / "deposed", LOG), *tail)
    history = recorded(tmp_path, HISTORY)

    assert judge(history, [*led, deposed]).ok
    seen = [*HISTORY, read_at(END + 3, 10**9, 10**9 + 1)]
    (tmp_path / "seen").mkdir()
    assert LOST in judge(recorded(tmp_path / "seen", seen), [*led, deposed]).found


def test_another_entry_at_a_committed_index_is_told(tmp_path: Path, nodes: list[Path]) -> None:
    """One node holds another group at one index in the middle."""
    entries = [*LOG.entries]
    payload, index, term = entries[20]
    entries[20] = (payload[:-1] + bytes([payload[-1] ^ 1]), index, term)
    other = write_node(tmp_path / "other", Log(entries))

    judgement = judge(recorded(tmp_path, HISTORY), [*nodes[:2], other])

    assert judgement.found[AGREEMENT] == 1
    assert judgement.operations.diverged == 1
    assert "different entries at index 21" in judgement.findings[0].what


def test_a_snapshot_of_another_state_is_told(tmp_path: Path, nodes: list[Path]) -> None:
    """A replica that went astray before its snapshot has other digests there, and at its end."""
    other = build_log(60, seed=2, checkpoint_every=20)
    assert len(other.entries) <= len(LOG.entries)
    astray = write_node(tmp_path / "astray", LOG)
    source = write_node(tmp_path / "source", other, snapshot_at=30)
    DataDirectory(astray).snapshot.write_bytes(DataDirectory(source).snapshot.read_bytes())

    judgement = judge(recorded(tmp_path, HISTORY), [*nodes[:2], astray])

    assert judgement.found[AGREEMENT] == 2
    assert "its snapshot came to" in judgement.findings[0].what


def test_a_damaged_node_and_a_missing_one_are_told(tmp_path: Path, nodes: list[Path]) -> None:
    """What cannot be read is a finding; the others are judged all the same."""
    damaged = write_node(tmp_path / "damaged", LOG)
    segments = DataDirectory(damaged).journal.iterdir()
    segment = max(segments, key=lambda path: path.stat().st_size)
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 0x10
    segment.write_bytes(content)
    history = recorded(tmp_path, HISTORY)

    judgement = judge(history, [*nodes[:2], damaged])
    assert judgement.found == {SOUND: 1}
    assert judgement.operations.acknowledged > 0
    assert judge(history, [*nodes, tmp_path / "nothing"]).found == {SOUND: 1}
    assert judge(history, [tmp_path / "nothing"]).found == {SOUND: 1, LOOKED: 1}


def test_commands_that_no_history_mentions_are_counted(tmp_path: Path, nodes: list[Path]) -> None:
    """Where the histories are said to be complete, a dropped record is a finding."""
    history = recorded(tmp_path, [*HISTORY[:70], *HISTORY[71:]])

    assert judge(history, nodes).counts["executed, in no history"] == 1
    judgement = judge(history, nodes, complete=True)
    assert judgement.found == {SOUND: 1}
    assert f"sequence {HISTORY[70].sequence} first" in judgement.findings[0].what


def test_another_genesis_is_told(tmp_path: Path, nodes: list[Path]) -> None:
    """A run is judged by its own cluster's data."""
    genesis = type(GENESIS)(b"another cluster.", 0, GENESIS.operator_public_key, GENESIS.limits)

    judgement = judge(recorded(tmp_path, HISTORY), nodes, genesis=genesis)

    assert judgement.found == {SOUND: 1}


def test_an_empty_history_is_told(tmp_path: Path, nodes: list[Path]) -> None:
    """Nothing recorded is not the same as nothing wrong."""
    assert judge([], nodes).found == {LOOKED: 1}
    (tmp_path / "broken").write_text("{}\n")
    with pytest.raises(ValueError, match="line 1 is no operation"):
        judge([tmp_path / "broken"], nodes)


def test_a_judgement_is_written_into_the_report_of_its_run(
    tmp_path: Path, nodes: list[Path]
) -> None:
    """Counts add up with what is there; each finding is a violation with its reproduction."""
    report = RunReport("a run", "python -m chaos real", "unknown", "2026-01-01T00:00:00Z")
    report.operations.lost = 1
    history = recorded(tmp_path, altered(50, filled=HISTORY[50].filled + 1))

    judge(history, nodes).write_into(report, "python -m chaos real --again")

    assert (report.operations.lost, report.operations.altered) == (1, 1)
    assert [violation.invariant for violation in report.violations] == [ALTERED]
    assert report.violations[0].reproduce == "python -m chaos real --again"
    assert report.checks[LOST] == len(HISTORY)
    assert not report.held
