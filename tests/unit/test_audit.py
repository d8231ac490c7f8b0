"""An audit finds what is wrong with a node's data, and nothing wrong with sound data."""

import json
from collections.abc import Callable
from pathlib import Path
from struct import unpack_from

import pytest

from node.audit.canonical import CanonicalState, CanonicalStateError, read_state
from node.audit.conservation import check_conservation
from node.audit.directory import read_journal
from node.audit.executions import Executions
from node.audit.log import describe_entry, entry_findings, log_dump, log_info
from node.audit.replay import Replay
from node.audit.verify import verify
from node.consensus.journal_recovery import JournalEntry
from node.domain.genesis import Genesis
from node.storage.backup import create_backup
from node.storage.data_directory import DataDirectory
from node.storage.snapshot_store import SnapshotStore
from tests.unit.audited_cluster import GENESIS, NO_OP, Log, build_log, write_node


@pytest.fixture(scope="module")
def log() -> Log:
    """Return one busy log for every test that only reads it."""
    return build_log(200, checkpoint_every=40)


def entries_of(log: Log) -> list[JournalEntry]:
    """Return the log as the journal hands it out."""
    return [
        JournalEntry(index, term, payload[0], payload[1:]) for payload, index, term in log.entries
    ]


def canonical(log: Log, last: int | None = None) -> CanonicalState:
    """Return the state that a log comes to."""
    replay = Replay(GENESIS)
    replay.feed(entries_of(log)[:last])
    replay.digests()
    return read_state(replay.canonical_pages())


def test_two_replays_of_one_log_agree_at_every_index(log: Log) -> None:
    """Chain digests, checkpoints and the end are the same however often a log is replayed."""
    first, second = Replay(GENESIS), Replay(GENESIS)
    first.feed(entries_of(log))
    for entry in entries_of(log):
        second.feed([entry])

    assert first.chain == second.chain
    assert first.checkpoints == second.checkpoints != []
    assert first.digests() == second.digests()


def test_a_replay_from_a_checkpoint_ends_where_the_whole_one_ends(log: Log) -> None:
    """The canonical pages at any index are enough to go on from there."""
    entries = entries_of(log)
    whole = Replay(GENESIS)
    whole.feed(entries[:120])
    whole.digests()
    rest = Replay(GENESIS, whole.canonical_pages())
    whole.feed(entries)
    rest.feed(entries)

    assert rest.start_index == entries[119].index or entries[119].kind != 0
    assert rest.digests() == whole.digests()
    assert rest.chain_at(entries[-1].index) == whole.chain_at(entries[-1].index)
    assert dict(rest.canonical_pages()) == dict(whole.canonical_pages())


def test_conservation_is_exact_at_every_index_of_a_busy_log(log: Log) -> None:
    """No group, not even amid a sweep, leaves money, shares, locks or books out of balance."""
    replay = Replay(GENESIS)
    for entry in entries_of(log):
        replay.feed([entry])
        replay.digests()
        assert check_conservation(read_state(replay.canonical_pages())).findings == []
    assert replay.fills > 100


Mutation = Callable[[CanonicalState], CanonicalState]


def _with_account(**changes: int) -> Mutation:
    def mutate(state: CanonicalState) -> CanonicalState:
        account = state.accounts[0]
        new = account._replace(
            **{name: getattr(account, name) + by for name, by in changes.items()}
        )
        return state._replace(accounts=[new, *state.accounts[1:]])

    return mutate


def _with_position(**changes: int) -> Mutation:
    def mutate(state: CanonicalState) -> CanonicalState:
        position = state.positions[0]
        new = position._replace(
            **{name: getattr(position, name) + by for name, by in changes.items()}
        )
        return state._replace(positions=[new, *state.positions[1:]])

    return mutate


def _with_market(**changes: int) -> Mutation:
    def mutate(state: CanonicalState) -> CanonicalState:
        market = state.markets[0]
        new = market._replace(**{name: getattr(market, name) + by for name, by in changes.items()})
        return state._replace(markets=[new, *state.markets[1:]])

    return mutate


def _with_treasury(**changes: int) -> Mutation:
    def mutate(state: CanonicalState) -> CanonicalState:
        treasury = state.treasury
        return state._replace(
            treasury=treasury._replace(
                **{name: getattr(treasury, name) + by for name, by in changes.items()}
            )
        )

    return mutate


def _without_an_order(state: CanonicalState) -> CanonicalState:
    return state._replace(orders=state.orders[1:])


def _with_a_crossed_book(state: CanonicalState) -> CanonicalState:
    order = state.orders[0]
    price = 1 if (order.is_bid, order.is_buy) in {(True, False), (False, False)} else 9_999
    return state._replace(orders=[order._replace(price=price), *state.orders[1:]])


def _with_an_overfilled_order(state: CanonicalState) -> CanonicalState:
    order = state.orders[0]
    return state._replace(orders=[order._replace(leaves=order.lots + 1), *state.orders[1:]])


@pytest.mark.parametrize(
    ("mutate", "finding"),
    [
        (_with_account(cash_free=1), "deposits are"),
        (_with_account(cash_free=-1, cash_locked=1), "its buy orders need"),
        (_with_account(orders=1), "open orders, there are"),
        (_with_account(cash_free=-(10**12)), "free and"),
        (_with_position(yes_free=1), "lots YES and"),
        (_with_position(yes_free=-1, yes_locked=1), "its sales need"),
        (_with_position(no_free=-(10**6), yes_free=-(10**6)), "is negative"),
        (_with_market(collateral=10_000), "lots YES and"),
        (_with_market(orders=-1), "counts"),
        (_with_treasury(deposits=1), "deposits are"),
        (_with_treasury(fees=1), "deposits are"),
        (_with_treasury(collateral=1), "the treasury counts"),
        (_with_treasury(accounts=1), "the treasury counts"),
        (_without_an_order, "there are"),
        (_with_a_crossed_book, "crossed"),
        (_with_an_overfilled_order, "rests with"),
    ],
)
def test_one_unit_out_of_place_is_found(log: Log, mutate: Mutation, finding: str) -> None:
    """Each planted fault, a single micro-USDC or lot among them, is a finding of its own kind."""
    state = canonical(log, last=180)
    assert check_conservation(state).findings == []

    findings = check_conservation(mutate(state)).findings

    assert any(finding in found for found in findings), findings


def test_pages_that_no_venue_encodes_are_refused(log: Log) -> None:
    """A record on the wrong page, out of order or cut short is not read as state."""
    replay = Replay(GENESIS)
    replay.feed(entries_of(log))
    replay.digests()
    pages = replay.canonical_pages()
    accounts = next(number for number, (key, _) in enumerate(pages) if key[:2] == b"\x00\x05")
    key, content = pages[accounts]
    for damaged in (
        (key, content[:-1]),
        (key[:-1] + b"\x01", content),
        (key, content[72:] + content[:72]),
    ):
        with pytest.raises(CanonicalStateError):
            read_state([*pages[:accounts], damaged, *pages[accounts + 1 :]])


def test_sound_nodes_agree_and_every_acknowledgement_is_found(log: Log, tmp_path: Path) -> None:
    """A whole log, a cut one, a shorter one and a backup come to the same digests."""
    whole = write_node(tmp_path / "1", log, snapshot_at=100)
    cut = write_node(tmp_path / "2", log, snapshot_at=120, cut=True)
    short = write_node(tmp_path / "3", log, last=190)
    store = SnapshotStore(cut)
    create_backup(store, DataDirectory(cut), tmp_path / "backup")
    store.close()
    acknowledgements = tmp_path / "acknowledgements"
    acknowledgements.write_bytes(b"".join(log.replies) + b"\x30")

    report = verify([whole, cut, short, tmp_path / "backup"], acknowledgements=acknowledgements)

    assert report.all_findings() == []
    assert report.ok
    assert report.agreement is not None
    assert report.agreement.index == log.entries[189][1]
    assert report.acknowledgements is not None
    assert report.acknowledgements.found == report.acknowledgements.total > 500
    assert json.loads(json.dumps(report.to_dict()))["ok"] is True


def test_acknowledgements_that_the_log_does_not_hold_are_lost_or_altered(
    log: Log, tmp_path: Path
) -> None:
    """Another result is altered, a command that never was is lost, and both fail the audit."""
    node = write_node(tmp_path / "1", log)
    said = [
        {"session": 1, "sequence": 1, "log_index": 3, "result": 1},
        {"session": 1, "sequence": 2, "log_index": 3, "result": 99},
        {"session": 1, "sequence": 3, "log_index": 4, "result": 2},
        {"session": 9, "sequence": 1, "log_index": 10**6, "result": 1},
    ]
    index = next(entry.index for entry in entries_of(log) if entry.kind == 0 and entry.index > 2)
    said[0]["log_index"] = said[1]["log_index"] = index
    said[2]["log_index"] = index + 1
    path = tmp_path / "said.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in said))

    report = verify([node], acknowledgements=path)

    assert not report.ok
    assert report.acknowledgements is not None
    found = report.acknowledgements
    assert (found.total, found.found, found.altered, found.lost) == (4, 1, 1, 2)


def test_acknowledgements_before_a_cut_log_are_neither_found_nor_lost(
    log: Log, tmp_path: Path
) -> None:
    """What the log no longer holds is counted apart: the audit does not claim to have seen it."""
    node = write_node(tmp_path / "1", log, snapshot_at=120, cut=True)
    path = tmp_path / "acknowledgements"
    path.write_bytes(b"".join(log.replies))

    found = verify([node], acknowledgements=path).acknowledgements

    assert found is not None
    assert found.before_start > 0
    assert found.found + found.before_start == found.total
    assert found.lost == 0


def test_a_node_that_applied_another_command_is_found_to_differ(log: Log, tmp_path: Path) -> None:
    """One altered byte in one command is a different history.

    Chain digests differ and so do the states.
    """
    other = Log(list(log.entries))
    payload, index, term = other.entries[60]
    at = next(number for number in range(60, 199) if len(other.entries[number][0]) > 100)
    payload, index, term = other.entries[at]
    altered = bytearray(payload)
    altered[1 + 8] ^= 1  # The stamp.
    other.entries[at] = (bytes(altered), index, term)

    report = verify([write_node(tmp_path / "1", log), write_node(tmp_path / "2", other)])

    assert not report.ok
    assert report.agreement is not None
    assert any("chain digest" in finding for finding in report.agreement.findings)


def test_uncommitted_entries_of_a_leader_that_lost_are_no_disagreement(
    log: Log, tmp_path: Path
) -> None:
    """Logs may differ behind what is committed; they are compared where they still agree."""
    loser = Log(log.entries[:150])
    winner = Log(log.entries[:148] + [(NO_OP, index, 2) for _, index, _ in log.entries[148:160]])
    nodes = [write_node(tmp_path / "1", loser), write_node(tmp_path / "2", winner)]
    report = verify(nodes)
    assert any(
        "is committed" in finding for finding in report.all_findings()
    )  # Both say they committed their own.

    for name, entries in (("3", loser), ("4", winner)):
        directory = write_node(tmp_path / name, Log(entries.entries[:148]))
        _append_uncommitted(directory, entries.entries[148:])
        nodes.append(directory)
    report = verify(nodes[2:])
    assert report.ok, report.all_findings()
    assert report.agreement is not None
    assert report.agreement.index == log.entries[147][1]


def _append_uncommitted(root: Path, entries: list[tuple[bytes, int, int]]) -> None:
    from node.consensus.journal import Journal  # noqa: PLC0415

    journal = Journal(root / "journal")
    for entry in entries:
        journal.append(*entry)
    journal.sync()
    journal.close()


def test_a_snapshot_of_another_history_is_found(log: Log, tmp_path: Path) -> None:
    """A sound snapshot that is not what the log comes to is a finding, whichever digest differs."""
    other = build_log(200, seed=2, checkpoint_every=40)
    node = write_node(tmp_path / "1", log)
    foreign = write_node(tmp_path / "2", other, snapshot_at=100)
    (node / "state.lmdb").unlink(missing_ok=True)
    (foreign / "state.lmdb").rename(node / "state.lmdb")

    report = verify([node])

    assert not report.ok
    assert any("has chain digest" in finding for finding in report.all_findings())
    assert any("has state digest" in finding for finding in report.all_findings())


def test_damage_is_a_finding_of_the_node_that_has_it(log: Log, tmp_path: Path) -> None:
    """A flipped bit in a journal or a snapshot is reported; the other nodes are still verified."""
    sound = write_node(tmp_path / "1", log)
    torn_snapshot = write_node(tmp_path / "2", log, snapshot_at=100)
    bad_journal = write_node(tmp_path / "3", log)
    _flip(torn_snapshot / "state.lmdb", 20_000)
    _flip(next((bad_journal / "journal").iterdir()), 5_000)

    report = verify([sound, torn_snapshot, bad_journal, tmp_path / "nowhere"])

    assert [node.ok for node in report.nodes] == [True, False, False, False]
    assert "snapshot" in report.nodes[1].findings[0]
    assert "damaged at byte" in report.nodes[2].findings[0]
    assert "neither the data directory" in report.nodes[3].findings[0]


def _flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 0x10
    path.write_bytes(content)


def test_nodes_of_two_clusters_are_not_compared(log: Log, tmp_path: Path) -> None:
    """Different genesis is said, not hidden behind differing digests."""
    ours = write_node(tmp_path / "1", log)
    theirs = write_node(tmp_path / "2", log)
    (theirs / "genesis.bin").write_bytes(
        Genesis(b"x" * 16, 0, GENESIS.operator_public_key, GENESIS.limits).encode()
    )

    report = verify([ours, theirs])

    assert any("different genesis" in finding for finding in report.all_findings())


def saved_entries(node: Path) -> list[JournalEntry]:
    """Return what the journal of a node's data directory holds."""
    return read_journal(node / "journal")[1]


def test_the_log_is_shown_in_words_and_its_form_checked(log: Log, tmp_path: Path) -> None:
    """`log info` counts, `log dump` names every command.

    `log verify` finds groups that miscount.
    """
    node = write_node(tmp_path / "1", log)
    assert log_info(node)["entries"] == len(log.entries)
    assert entry_findings(saved_entries(node)) == []
    dumped = list(log_dump(node, 2, 3))
    assert [entry["index"] for entry in dumped] == [2, 3]
    assert dumped[0]["group"]["commands"][0]["type"] == "SESSION_OPEN"
    assert json.loads(json.dumps(dumped))

    broken = Log(list(log.entries))
    payload, index, term = next(entry for entry in broken.entries if len(entry[0]) > 100)
    miscounted = bytearray(payload)
    miscounted[1 + 16] += 1
    broken.entries[index - 1] = (bytes(miscounted), index, term)
    findings = entry_findings(saved_entries(write_node(tmp_path / "2", broken)))
    assert any("its header says" in finding for finding in findings)


def test_a_replay_counts_what_fills_reductions_and_closings_took_off_each_order(log: Log) -> None:
    """Whatever was placed is resting, or is gone by an event: nothing is lost in between."""
    replay = Replay(GENESIS)
    replay.feed(entries_of(log))
    resting = {
        (order.account, order.client_order_id): order.leaves
        for order in (replay.digests(), read_state(replay.canonical_pages()).orders)[1]
    }
    placed: dict[tuple[int, int], tuple[int, int]] = {}
    replies = {reply[8:12] + reply[16:24]: reply for reply in log.replies}
    for entry in entries_of(log):
        for command in describe_entry(entry).get("group", {}).get("commands", []):
            if command["type"] == "PLACE":
                name = command["session"].to_bytes(4, "little")
                reply = replies[name + command["sequence"].to_bytes(8, "little")]
                body = bytes.fromhex(command["body"])
                account, own_id = unpack_from("<i", body)[0], unpack_from("<q", body, 8)[0]
                lots = unpack_from("<q", body, 24)[0]
                if unpack_from("<i", reply, 12)[0] == 0:
                    placed[account, own_id] = (lots, entry.index)
    executions = Executions(placed)
    Replay(GENESIS).feed(entries_of(log), executions.observe)
    end = log.entries[-1][1]

    assert len(placed) > 100
    assert {name: executions.gone(name, end) for name in placed} == {
        name: lots - resting.get(name, 0) for name, (lots, _) in placed.items()
    }
    assert all(executions.gone(name, index - 1) == 0 for name, (_, index) in placed.items())
