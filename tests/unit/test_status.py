"""Whose status is shown: a node of another cluster at our address is not ours."""

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from cluster.app import app
from cluster.demonstration import free_base_port
from cluster.deployment import Deployment, DeploymentError, Plan, create_deployment, open_deployment
from cluster.processes import spawn_node, start_node, stop_all
from cluster.status import fetch_status, find_strangers, poll_status, why_unserved
from node.telemetry.http_page import OperatorPage
from node.telemetry.readings import (
    Build,
    CheckpointReading,
    ConsensusReading,
    GatewayReading,
    Readings,
    Standing,
    VenueReading,
)


def readings(cluster_id: str, node: int) -> Readings:
    """Return what a healthy leader says."""
    return Readings(
        Build("0.1.0", "pure"),
        Standing(cluster_id, node, "leader", True, 3, node, 10, 10, 11, "ab" * 32),
        CheckpointReading(),
        VenueReading(1, 2, 3, 4, 5, 600, {}),
        GatewayReading(1, 2, 300, 400, 0, {}),
        ConsensusReading(1, 9, 4096, 1, {}),
    )


@pytest.fixture
def ours(tmp_path: Path) -> Deployment:
    """Return a cluster of which nothing runs."""
    return create_deployment(tmp_path / "ours", Plan(3, free_base_port(), "dev"))


@pytest.fixture
def answer(ours: Deployment) -> Iterator[list[Readings]]:
    """Serve whatever is put into this list at node 1's HTTP address."""
    said: list[Readings] = []
    member = ours.member(1)
    page = OperatorPage(member.host, member.http_port, lambda: said[-1])
    page.start()
    yield said
    page.stop()


def test_a_cluster_knows_its_id_again(ours: Deployment) -> None:
    """The id comes from genesis, and no two clusters share it."""
    assert open_deployment(ours.root) == ours
    assert len(bytes.fromhex(ours.cluster_id)) == 16


def test_one_broken_genesis_keeps_nobody_from_the_other_nodes(ours: Deployment) -> None:
    """The id is what most nodes say; with none left the folder is refused."""
    (ours.folder(1) / "genesis.bin").unlink()
    (ours.folder(2) / "genesis.bin").write_bytes(b"torn")
    assert open_deployment(ours.root).cluster_id == ours.cluster_id

    (ours.folder(3) / "genesis.bin").unlink()
    with pytest.raises(DeploymentError, match=r"genesis\.bin"):
        open_deployment(ours.root)


def test_only_the_own_node_counts(ours: Deployment, answer: list[Readings]) -> None:
    """Neither another cluster's node nor another node of ours is taken for node 1."""
    member = ours.member(1)
    answer.append(readings(ours.cluster_id, 1))
    own, quiet = fetch_status(ours, member), find_strangers(ours)
    answer.append(readings("ff" * 16, 1))
    foreign, named = poll_status(ours), find_strangers(ours)
    answer.append(readings(ours.cluster_id, 2))

    assert own is not None
    assert quiet == []
    assert foreign == {1: None, 2: None, 3: None}
    assert named == [f"node 1 of another cluster ({'f' * 12}) answers at {member.http}"]
    assert fetch_status(ours, member) is None
    assert find_strangers(ours) == [f"node 2 answers at {member.http}, where node 1 should"]


def test_status_of_another_cluster_is_a_failure(ours: Deployment, answer: list[Readings]) -> None:
    """A stranger's leader is not our leader: code 1, and the stranger is named."""
    answer.append(readings("ff" * 16, 1))
    told = CliRunner().invoke(app, ["status", "--data", str(ours.root), "--json"])
    said = json.loads(told.stdout)

    assert told.exit_code == 1
    assert said["leader"] == 0
    assert "another cluster" in said["nodes"][0]["stranger"]
    assert said["nodes"][1] == {"node": 2, "answers": False}


def test_a_node_that_takes_no_full_part_is_told_from_a_healthy_one(
    ours: Deployment, answer: list[Readings]
) -> None:
    """An isolated or a recovering follower says so in the table."""
    own = readings(ours.cluster_id, 1)
    lonely = replace(own.standing, role="follower", ready=False, leader=0, recovering=True)
    answer.append(replace(own, standing=lonely))
    status = fetch_status(ours, ours.member(1))
    reasons = why_unserved(ours)
    answer.append(own)
    leading = fetch_status(ours, ours.member(1))

    assert status is not None
    assert leading is not None
    assert (status.words, leading.words) == ("follower, recovering, knows no leader", "leader")
    assert "1 of 3 nodes answer and none leads" in reasons[0]
    assert why_unserved(ours) == []


def test_no_key_is_made_at_another_cluster(ours: Deployment, answer: list[Readings]) -> None:
    """An account is not opened where somebody else's cluster serves."""
    answer.append(readings("ff" * 16, 1))
    told = CliRunner().invoke(app, ["account", "create", "alice", "--data", str(ours.root)])

    assert told.exit_code == 1
    assert "another cluster" in told.output
    assert not ours.key_file("alice").exists()


def test_an_address_in_use_is_named_with_its_role(ours: Deployment, answer: list[Readings]) -> None:
    """Whoever starts a node learns which address to free, and who has it."""
    answer.append(readings("ff" * 16, 1))
    member = ours.member(1)
    with socket.create_server(member.peer), pytest.raises(DeploymentError) as refused:
        start_node(ours, 1)

    text = str(refused.value)
    assert f"its address for peers, {member.peer}, is in use" in text
    assert f"its address for HTTP, {member.http}, is in use" in text
    assert "another cluster" in text
    assert "for clients" not in text


def test_a_node_that_refuses_to_start_says_why(ours: Deployment) -> None:
    """`node start` fails with the node's own reason, never with an older run's."""
    (ours.folder(2) / "log" / "stderr.log").write_text("an older reason\n")
    (ours.folder(2) / "cluster.key").unlink()
    told = CliRunner().invoke(app, ["node", "start", "2", "--data", str(ours.root)])

    assert told.exit_code == 1
    assert "node 2 ended with code 70" in told.output
    assert "cluster.key" in told.output
    assert "an older reason" not in told.output


def test_a_start_that_fails_leaves_no_node_behind(ours: Deployment) -> None:
    """When node 2 cannot start, `up` stops node 1 again."""
    with socket.create_server(ours.member(2).peer):
        told = CliRunner().invoke(app, ["up", "--detach", "--data", str(ours.root)])

    assert told.exit_code == 1
    assert "its address for peers" in told.output
    assert [ours.running(number) for number in (1, 2, 3)] == [None] * 3


def test_a_node_that_is_not_ready_yet_is_stopped_too(ours: Deployment) -> None:
    """Stopping ends a process that has not even taken its folder."""
    child = spawn_node(ours, 1)
    stop_all(ours)

    assert child.poll() is not None


def test_a_lost_folder_is_said_with_the_way_back(ours: Deployment) -> None:
    """A lost disk is no traceback; a lost log folder is no obstacle."""
    shutil.rmtree(ours.folder(3))
    told = CliRunner().invoke(app, ["node", "start", "3", "--data", str(ours.root)])
    (ours.folder(2) / "log").rmdir()
    try:
        running = start_node(ours, 2)
    finally:
        stop_all(ours)

    assert told.exit_code == 1
    assert "--recover" in told.output
    assert running
