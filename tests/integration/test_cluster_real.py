"""A cluster of real processes, operated through the command line as a person would."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from cluster.app import app
from cluster.demonstration import await_agreement, free_base_port
from cluster.deployment import Plan, create_deployment
from cluster.flow import write_flow
from cluster.flow_generator import generate_flow
from cluster.processes import await_leader, await_stopped, start_node
from cluster.status import fetch, fetch_status
from tests.integration.terminal import SETTLE_SECONDS, Terminal, settle


def test_a_market_lives_from_its_creation_to_its_resolution(
    make_cluster: Callable[[str], Terminal],
) -> None:
    """Fund, rest, fill, resolve: the money ends where it belongs."""
    qb = make_cluster("cluster")
    alice = qb("account", "create", "alice", "--deposit", "100")["account"]
    bob = qb("account", "create", "bob", "--deposit", "100")["account"]
    event = qb("event", "create", "Who wins?", "--independent")["event"]
    market = str(qb("market", "create", str(event), "Red Rum", "--open")["market"])
    place = ("order", "place", "--market", market)
    rested = qb(*place, "alice", *["--buy", "yes", "--price", "0.4", "--shares", "10"])
    filled = qb(*place, "bob", *["--buy", "no", "--price", "0.65", "--shares", "4"])
    book = qb("depth", market)
    orders = qb("order", "list", "alice")
    qb("order", "cancel", str(alice), "--market", market, "--order", str(rested["order"]))
    qb("market", "halt", market)
    qb("market", "open", market)
    qb("market", "close", market)
    qb("market", "resolve", market, "1")
    settle(lambda: qb("account", "show", "alice")["cash_free"] == 102_400_000)
    rejected = qb(*place, "bob", *["--buy", "no", "--price", "0.5", "--shares", "1"], code=1)

    assert filled["filled_lots"] == 400
    assert (book["bids"], book["asks"]) == ([[4_000, 600]], [])
    assert [(one["order"], one["leaves"], one["intent"]) for one in orders] == [
        (rested["order"], 600, "buy_yes")
    ]
    assert qb("account", "show", str(bob))["cash_free"] == 97_600_000
    assert qb("market", "show", market)["state"] == "resolved"
    assert [one["name"] for one in qb("event", "list")] == ["Who wins?"]
    assert qb("account", "deposit", "bob", "2.5")["deposited"] == 2_500_000
    assert "MARKET_NOT_OPEN" in rejected
    assert qb("verify")["ok"]


def test_two_clusters_that_replay_one_flow_end_with_equal_ledgers(
    make_cluster: Callable[[str], Terminal], tmp_path: Path
) -> None:
    """The same commands in the same order come to the same ledger, whatever the groups."""
    file = tmp_path / "flow.csv.gz"
    write_flow(file, generate_flow(6_000, runners=3, seed=4).rows)
    ledgers = []
    for name, window in (("one", "8192"), ("two", "64")):
        qb = make_cluster(name)
        replies = tmp_path / f"{name}.bin"
        said = qb("replay", str(file), "--window", window, "--save-replies", str(replies))
        audit = qb("verify", "--acknowledgements", str(replies))
        ledgers.append({node["end"]["ledger"] for node in audit["nodes"]})

        assert said["unexplained"] == []
        assert sum(said["codes"].values()) == said["commands"] == 6_000
        assert audit["acknowledgements"]["found"] == audit["acknowledgements"]["total"] > 0
    assert ledgers[0] == ledgers[1]
    assert len(ledgers[0]) == 1


def test_many_connections_replay_a_flow_too(
    make_cluster: Callable[[str], Terminal], tmp_path: Path
) -> None:
    """Participants are dealt to sessions of several brokers, and each one's order is kept."""
    file = tmp_path / "flow.csv.gz"
    write_flow(file, generate_flow(4_000, runners=3, seed=4).rows)
    qb = make_cluster("cluster")
    said = qb("replay", str(file), "--connections", "10", "--window", "512")

    assert said["unexplained"] == []
    assert sum(said["codes"].values()) == 4_000


def test_a_node_that_slept_through_a_snapshot_catches_up(
    make_cluster: Callable[[str], Terminal], tmp_path: Path
) -> None:
    """All nodes snapshot at one index with one digest, also one that was stopped meanwhile."""
    file = tmp_path / "flow.csv.gz"
    write_flow(file, generate_flow(3_000, runners=3, seed=4).rows)
    qb = make_cluster("cluster")
    follower = next(one["node"] for one in qb("status")["nodes"] if one["role"] == "follower")
    qb("node", "stop", str(follower))
    qb("replay", str(file))
    index = qb("snapshot", "create")["index"]
    qb("node", "start", str(follower))
    await_agreement(qb.deployment)
    settle(lambda: {one["checkpoint"]["index"] for one in qb("status")["nodes"]} == {index})
    digests = {
        (one["checkpoint"]["state_digest"], one["checkpoint"]["ledger_digest"])
        for one in qb("status")["nodes"]
    }

    assert len(digests) == 1
    assert [one["index"] for one in qb("snapshot", "list")] == [index] * 3
    assert qb("verify")["ok"]


def test_a_damaged_node_refuses_to_start_and_is_rebuilt_from_its_peers(
    make_cluster: Callable[[str], Terminal],
) -> None:
    """Damage is said, never served; --recover brings back everything that was acknowledged."""
    qb = make_cluster("cluster")
    qb("account", "create", "alice", "--deposit", "100")
    qb("snapshot", "create")
    settle(lambda: all(one["checkpoint"]["index"] for one in qb("status")["nodes"]))
    qb("node", "stop", "2")
    snapshot = qb.deployment.folder(2) / "state.lmdb"
    content = bytearray(snapshot.read_bytes())
    content[len(content) // 2] ^= 1
    snapshot.write_bytes(content)
    refused = qb("node", "start", "2", code=1)
    qb("node", "start", "2", "--recover")
    await_agreement(qb.deployment)

    assert "damaged" in refused
    assert "--recover" in refused
    assert (qb.deployment.folder(2) / "damaged-1" / "state.lmdb").exists()
    assert qb("verify")["ok"]


def test_a_node_far_behind_gets_its_state_by_snapshot(
    make_cluster: Callable[..., Terminal], tmp_path: Path
) -> None:
    """Where the log was cut, a peer's snapshot brings an emptied node up."""
    file = tmp_path / "flow.csv.gz"
    write_flow(file, generate_flow(8_000, runners=3, seed=4).rows)
    small = "\n[storage]\njournal_segment_bytes = 65536\njournal_margin_bytes = 4096\n"
    qb = make_cluster("cluster", small)
    qb("replay", str(file), "--window", "64")
    index = qb("snapshot", "create")["index"]
    settle(lambda: {one["checkpoint"]["index"] for one in qb("status")["nodes"]} == {index})
    qb("account", "create", "alice", "--deposit", "100")
    settle(lambda: all(qb("log", "info", str(number))["base_index"] > 1 for number in (1, 2, 3)))
    qb("node", "stop", "2")
    qb("node", "start", "2", "--recover")
    await_agreement(qb.deployment)
    settle(lambda: qb("status")["nodes"][1]["checkpoint"]["index"] == index)
    log = (qb.deployment.folder(2) / "log" / "node.jsonl").read_text()

    assert '"event":"state_replaced"' in log
    assert qb("log", "info", "2")["base_index"] > 1
    assert qb("verify")["ok"]


def test_sweeps_go_on_when_no_orders_flow(
    make_cluster: Callable[[str], Terminal], tmp_path: Path
) -> None:
    """A market that is closed with many orders empties by itself, in bounded groups."""
    file = tmp_path / "flow.csv.gz"
    rows = [
        row
        for row in generate_flow(12_000, runners=2, seed=4).rows
        if row.action == "place" and row.price < 1_000
    ]
    write_flow(file, [row._replace(side="buy", lots=1) for row in rows])
    qb = make_cluster("cluster")
    market = qb("replay", str(file))["markets"][0]
    before = qb("market", "show", str(market))["orders"]
    qb("market", "close", str(market))
    settle(lambda: qb("market", "show", str(market))["orders"] == 0)

    assert before > 0
    assert len({one.chain_digest for one in await_agreement(qb.deployment)}) == 1


def test_a_stopped_leader_hands_over_and_a_stopped_cluster_comes_back(
    make_cluster: Callable[[str], Terminal],
) -> None:
    """SIGTERM is graceful: another node leads, nothing is lost, and `up` finds everything again."""
    qb = make_cluster("cluster")
    qb("account", "create", "alice", "--deposit", "100")
    before = await_leader(qb.deployment)
    qb("node", "stop", str(before.node))
    after = await_leader(qb.deployment)
    stopped = qb("down")["stopped"]
    qb("up", "--detach")

    assert after.node != before.node
    assert len(stopped) == 2
    assert qb("account", "show", "alice")["cash_free"] == 100_000_000
    assert (
        '"event":"node_stopped"'
        in (qb.deployment.folder(before.node) / "log" / "node.jsonl").read_text()
    )


def test_the_page_of_a_node_shows_the_way_of_a_command(
    make_cluster: Callable[[str], Terminal],
) -> None:
    """Every stage from socket to acknowledgement has a figure on the leader."""
    qb = make_cluster("cluster")
    qb("account", "create", "alice", "--deposit", "100")
    qb(
        "order",
        "place",
        "alice",
        "--market",
        "9",
        "--buy",
        "yes",
        "--price",
        "0.4",
        "--shares",
        "1",
        code=1,
    )
    leader = qb.deployment.member(await_leader(qb.deployment).node)
    metrics = (fetch(leader, "/metrics") or b"").decode()

    assert 'quorumbook_rejections_total{code="UNKNOWN_MARKET"} 1.0' in metrics
    assert "quorumbook_is_leader 1.0" in metrics
    for stage in ("waiting", "quorum", "apply", "reply", "total"):
        count = next(
            line
            for line in metrics.splitlines()
            if line.startswith(f'quorumbook_stage_seconds_count{{stage="{stage}"}}')
        )
        assert float(count.split()[-1]) > 0
    assert fetch(leader, "/healthz") == b"ok\n"


def test_a_node_that_is_killed_is_missed_and_can_be_started_again(
    make_cluster: Callable[[str], Terminal],
) -> None:
    """`node kill` is a crash, `node start` its end, and a second start is refused."""
    qb = make_cluster("cluster")
    killed = qb("node", "kill", "1")
    gone = fetch_status(qb.deployment, qb.deployment.member(1))
    qb("node", "kill", "1", code=1)
    qb("node", "start", "1")
    twice = qb("node", "start", "1", code=1)
    settle(lambda: all(one["answers"] for one in qb("status")["nodes"]))

    assert killed["signal"] == "SIGKILL"
    assert gone is None
    assert "runs already" in twice


@pytest.mark.parametrize("kind", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_whoever_ends_a_start_leaves_no_node_behind(tmp_path: Path, kind: signal.Signals) -> None:
    """Ctrl-C, twice, a closed terminal or SIGTERM while `up` starts: its nodes end with it."""
    deployment = create_deployment(tmp_path / "cluster", Plan(3, free_base_port(), "dev"))
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from cluster.app import main; main()"
    )
    starting = subprocess.Popen(
        [sys.executable, "-c", program, "up", "--data", str(deployment.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    settle((deployment.folder(1) / "log" / "stderr.log").exists)
    starting.send_signal(kind)
    starting.send_signal(kind)

    assert starting.wait(SETTLE_SECONDS) == 1
    assert [deployment.running(number) for number in (1, 2, 3)] == [None] * 3


def test_two_clusters_at_one_address_are_told_apart(
    make_cluster: Callable[[str], Terminal], tmp_path: Path
) -> None:
    """What serves another cluster is neither our status nor our leader, and no door of ours."""
    qb = make_cluster("cluster")
    base = qb.deployment.member(1).client_port - 10
    other = Terminal(tmp_path / "other")
    create_deployment(other.data, Plan(3, base, "dev"))
    refused = other("up", "--detach", code=1)
    status = other("status", code=1)
    account = other("account", "list", code=1)

    assert "is in use" in refused
    assert "another cluster" in refused
    assert "another cluster" in status
    assert "another cluster" in account
    assert qb("status")["leader"] > 0


def test_a_stopped_node_is_backed_up_and_comes_back_from_it(
    make_cluster: Callable[[str], Terminal], tmp_path: Path
) -> None:
    """A restored folder, with its key and settings, takes the place of the one it was made from."""
    qb = make_cluster("cluster")
    qb("account", "create", "alice", "--deposit", "100")
    folder, backup = qb.deployment.folder(3), str(tmp_path / "backup")
    qb("node", "stop", "3")
    made = qb("backup", "create", "3", backup)
    run = CliRunner().invoke
    verified = run(app, ["backup", "verify", backup, "--json"])
    folder.rename(tmp_path / "lost")
    restored = run(app, ["backup", "restore", backup, str(folder)])
    for name in ("cluster.key", "node.toml"):
        shutil.copy2(tmp_path / "lost" / name, folder / name)
    qb("node", "start", "3")
    await_agreement(qb.deployment)

    assert json.loads(verified.stdout)["files"] == made["files"] > 1
    assert restored.exit_code == 0, restored.output
    assert qb("log", "verify", "3")["sound"]
    assert qb("verify")["ok"]


def test_two_processes_cannot_run_on_one_folder(make_cluster: Callable[[str], Terminal]) -> None:
    """A frozen process still holds its folder: two would vote twice."""
    qb = make_cluster("cluster")
    process = qb.deployment.running(3)
    assert process is not None
    os.kill(process, signal.SIGSTOP)
    try:
        with pytest.raises(Exception, match="runs already"):
            start_node(qb.deployment, 3)
    finally:
        os.kill(process, signal.SIGCONT)
    qb("node", "stop", "3")

    assert await_stopped(qb.deployment, [3]) == []


def test_the_demonstration_holds_every_claim(tmp_path: Path) -> None:
    """What `make run` shows is true: the leader dies, another leads, and nothing is lost."""
    data = str(tmp_path / "demo")
    words = ["demo", "--once", "--rows", "8000", "--data", data, "--json"]
    first = CliRunner().invoke(app, words)
    again = CliRunner().invoke(app, words)
    said = json.loads(first.stdout)

    assert (first.exit_code, again.exit_code) == (0, 0), first.output + again.output
    assert all(claim["held"] for claim in said["claims"])
    assert len(said["claims"]) == 7
    assert said["killed"]["node"] == said["leader_before"] != said["leader_after"]
    assert 0 < said["killed"]["after_commands"] < 8_000
    assert said["failover_gap_ns"] > 0
    assert said["audit"]["acknowledgements"]["found"] == 8_000
    assert len({node["chain_digest"] for node in said["nodes"]}) == 1


def test_the_demonstration_touches_no_cluster_but_its_own(
    make_cluster: Callable[..., Terminal],
) -> None:
    """Somebody's data is never taken for an earlier demonstration's."""
    qb = make_cluster("cluster")
    qb("down")
    refused = CliRunner().invoke(app, ["demo", "--once", "--data", str(qb.data)])

    assert refused.exit_code == 1
    assert "no demonstration made" in refused.output
    assert (qb.deployment.folder(1) / "journal").exists()
