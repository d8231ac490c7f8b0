"""A cluster's folder: made whole or not at all, and readable by its owner alone."""

import fcntl
import os
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from cluster.deployment import (
    DeploymentError,
    Plan,
    create_deployment,
    lock_holder,
    open_deployment,
    read_key,
    write_key,
)
from config import ConfigError

PLAN = Plan(3, 7_400, "default")


def test_what_was_created_can_be_opened(tmp_path: Path) -> None:
    """Members, ports and genesis are the same for all nodes."""
    made = create_deployment(tmp_path / "cluster", PLAN)
    opened = open_deployment(tmp_path / "cluster")

    assert opened == made
    assert [member.client_port for member in made.members] == [7_410, 7_420, 7_430]
    assert len({(made.folder(number) / "genesis.bin").read_bytes() for number in (1, 2, 3)}) == 1
    assert made.config(2).own.peer_port == 7_421


def test_secrets_belong_to_their_owner_alone(tmp_path: Path) -> None:
    """Nobody else reads a key."""
    made = create_deployment(tmp_path / "cluster", PLAN)
    secrets = [
        made.root / "operator.key",
        *(made.folder(number) / "cluster.key" for number in (1, 2, 3)),
    ]

    assert [file.stat().st_mode & 0o777 for file in secrets] == [0o600] * 4
    assert made.root.stat().st_mode & 0o777 == 0o700


def test_two_clusters_share_nothing(tmp_path: Path) -> None:
    """Ids and keys are drawn anew."""
    one, two = (create_deployment(tmp_path / name, PLAN) for name in ("one", "two"))

    assert (one.folder(1) / "genesis.bin").read_bytes() != (
        two.folder(1) / "genesis.bin"
    ).read_bytes()
    assert bytes(one.operator_key()) != bytes(two.operator_key())


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    """No cluster is made over other people's files."""
    (tmp_path / "letter.txt").write_text("dear")

    with pytest.raises(DeploymentError, match="not empty"):
        create_deployment(tmp_path, PLAN)
    assert [file.name for file in tmp_path.iterdir()] == ["letter.txt"]


def test_a_draft_from_a_crash_is_replaced(tmp_path: Path) -> None:
    """A creation that was cut short leaves nothing that counts as a cluster."""
    (tmp_path / "cluster.draft" / "node-1").mkdir(parents=True)
    create_deployment(tmp_path / "cluster", PLAN)

    assert not (tmp_path / "cluster.draft").exists()


@pytest.mark.parametrize("base_port", [0, 1_023, 65_530])
def test_ports_must_exist(tmp_path: Path, base_port: int) -> None:
    """A base port without room for all listeners is refused before anything is made."""
    with pytest.raises(DeploymentError, match="base port"):
        create_deployment(tmp_path / "cluster", Plan(5, base_port, "default"))


def test_an_unknown_profile_is_refused(tmp_path: Path) -> None:
    """A typing error does not become a default."""
    with pytest.raises(ConfigError, match="is not one of"):
        create_deployment(tmp_path / "cluster", Plan(3, 7_400, "huge"))


def test_a_key_survives_its_file_and_is_never_overwritten(tmp_path: Path) -> None:
    """A key that is in use cannot be lost by making another of that name."""
    key = SigningKey.generate()
    write_key(tmp_path / "a.key", key)

    assert bytes(read_key(tmp_path / "a.key")) == bytes(key)
    with pytest.raises(FileExistsError):
        write_key(tmp_path / "a.key", SigningKey.generate())


@pytest.mark.parametrize("content", ["", "zz", "00" * 31])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: str) -> None:
    """The message names the file."""
    file = tmp_path / "a.key"
    file.write_text(content)

    with pytest.raises(DeploymentError, match=r"a\.key is not a key"):
        read_key(file)


def test_a_node_runs_while_its_lock_is_held_and_no_longer(tmp_path: Path) -> None:
    """What a dead process wrote into its lock file does not count."""
    file = tmp_path / "node.lock"
    file.write_text("4711\n")
    before = lock_holder(file)
    descriptor = os.open(file, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    during = lock_holder(file)
    os.close(descriptor)

    assert (before, during, lock_holder(file), lock_holder(tmp_path / "none")) == (
        None,
        4711,
        None,
        None,
    )


def test_a_node_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The message lists those that are."""
    made = create_deployment(tmp_path / "cluster", PLAN)

    with pytest.raises(DeploymentError, match="no node 4; this cluster has nodes 1, 2, 3"):
        made.member(4)
