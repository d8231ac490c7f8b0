"""A cluster on this machine, as files.

One folder a node, the keys that belong to none of them, and who is running.

    DATA/operator.key      the key that genesis trusts (0600)
    DATA/keys/NAME.key     keys made later, for brokers and accounts (0600)
    DATA/node-N/           genesis.bin, fresh (until the first start), node.toml,
                           cluster.key (0600), journal/, state.lmdb, log/
"""

import fcntl
import os
import secrets
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from config import ConfigError, Member, NodeConfig, load_node, load_profile
from node.domain.genesis import Genesis, default_limits
from node.domain.limits import Limit

DEFAULT_DATA: Final = Path(".quorumbook")
DEFAULT_BASE_PORT: Final = 7400
LOCAL_HOST: Final = "127.0.0.1"
PORTS_PER_NODE: Final = 10
GENESIS_MAGIC: Final = b"QBGENES1"
GENESIS_CLUSTER_ID: Final = len(GENESIS_MAGIC)
CLUSTER_ID_SIZE: Final = 16
_SECRET_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700


class DeploymentError(Exception):
    """The folder does not hold what was expected of it; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a new cluster is to be."""

    nodes: int
    base_port: int
    profile: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A cluster that has been created in `root`."""

    root: Path
    members: tuple[Member, ...]
    cluster_id: str
    """Of its genesis, in hexadecimal: what tells it from another cluster at the same addresses."""

    def folder(self, number: int) -> Path:
        """Return the data folder of one node."""
        return self.root / f"node-{number}"

    def config_file(self, number: int) -> Path:
        """Return the configuration file of one node."""
        return self.folder(number) / "node.toml"

    def config(self, number: int) -> NodeConfig:
        """Return one node's configuration; ConfigError when its file was broken since."""
        return load_node(self.config_file(number))

    def member(self, number: int) -> Member:
        """Return one node's addresses; DeploymentError when the cluster has no such node."""
        for member in self.members:
            if member.number == number:
                return member
        numbers = ", ".join(str(member.number) for member in self.members)
        raise DeploymentError(f"there is no node {number}; this cluster has nodes {numbers}")

    def running(self, number: int) -> int | None:
        """Return the process id that holds the node's data folder at this moment, or None."""
        return lock_holder(self.folder(number) / "node.lock")

    def operator_key(self) -> SigningKey:
        """Return the operator's key."""
        return read_key(self.root / "operator.key")

    def key_file(self, name: str) -> Path:
        """Return where the key of that name is or would be."""
        return self.root / "keys" / f"{name}.key"


def open_deployment(root: Path) -> Deployment:
    """Return the cluster in `root`.

    DeploymentError when there is none or no node has a genesis, ConfigError when a file is broken.
    """
    files = sorted(root.glob("node-*/node.toml"))
    if not files:
        raise DeploymentError(
            f"there is no cluster in {root}; `quorumbook up --data {root}` makes one"
        )
    members = load_node(files[0]).members
    by_number = tuple(sorted(members, key=lambda member: member.number))
    return Deployment(root, by_number, _cluster_id(root))


def create_deployment(root: Path, plan: Plan) -> Deployment:
    """Make a new cluster in `root`, which must be absent or empty.

    All of it or, after a crash, nothing.

    Raises DeploymentError when the folder holds something else or cannot be made, ConfigError for
    an unknown profile or limit.
    """
    try:
        return _create(root, plan)
    except OSError as error:
        raise DeploymentError(
            f"no cluster can be made in {root}: {error.strerror} ({error.filename})"
        ) from error


def _create(root: Path, plan: Plan) -> Deployment:
    if root.exists() and any(root.iterdir()):
        raise DeploymentError(f"{root} is not empty and holds no cluster; choose another --data")
    limits = genesis_limits(plan.profile)
    root.parent.mkdir(parents=True, exist_ok=True)
    draft = root.with_name(root.name + ".draft")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=_FOLDER_MODE)
    operator = SigningKey.generate()
    write_key(draft / "operator.key", operator)
    (draft / "keys").mkdir(mode=_FOLDER_MODE)
    cluster_id = secrets.token_bytes(CLUSTER_ID_SIZE)
    genesis = Genesis(cluster_id, 0, bytes(operator.verify_key), limits).encode()
    cluster_key = secrets.token_bytes(32)
    members = _members(plan)
    for member in members:
        _write_node(
            draft / f"node-{member.number}",
            member.number,
            members,
            plan.profile,
            genesis,
            cluster_key,
        )
    if root.exists():
        root.rmdir()
    draft.rename(root)
    return Deployment(root, members, cluster_id.hex())


def genesis_limits(profile: str) -> tuple[int, ...]:
    """Return every limit of a new cluster.

    The rules' default, or what the profile's `genesis` says.

    Raises ConfigError for a name that is no limit.
    """
    limits = list(default_limits())
    said: Mapping[str, int] = load_profile(profile).genesis
    for name, value in said.items():
        try:
            limits[Limit[name.upper()]] = value
        except KeyError:
            raise ConfigError(
                f"profile {profile}", f"there is no limit {name!r} - at `$.genesis`"
            ) from None
    return tuple(limits)


def read_key(file: Path) -> SigningKey:
    """Return the Ed25519 key in `file`: 64 hexadecimal digits.

    DeploymentError when it holds anything else.
    """
    try:
        return SigningKey(bytes.fromhex(file.read_text().strip()))
    except FileNotFoundError:
        raise DeploymentError(f"there is no key {file}") from None
    except ValueError:
        raise DeploymentError(f"{file} is not a key: it must hold 64 hexadecimal digits") from None


def write_key(file: Path, key: SigningKey) -> None:
    """Write `key` to a new file that only the owner may read.

    FileExistsError when there is one already.
    """
    _write_secret(file, bytes(key).hex().encode() + b"\n")


def lock_holder(lock_file: Path) -> int | None:
    """Return the process id in a lock file that is locked at this moment, or None."""
    try:
        descriptor = os.open(lock_file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        owner = os.pread(descriptor, 32, 0).strip()
        return int(owner) if owner.isdigit() else None
    finally:
        os.close(descriptor)
    return None


def _cluster_id(root: Path) -> str:
    """Return what most of the nodes' genesis files say: one node's broken file stops no other."""
    found = Counter(
        content[GENESIS_CLUSTER_ID : GENESIS_CLUSTER_ID + CLUSTER_ID_SIZE].hex()
        for content in (file.read_bytes() for file in sorted(root.glob("node-*/genesis.bin")))
        if content.startswith(GENESIS_MAGIC)
    )
    if not found:
        raise DeploymentError(f"no node in {root} has a genesis.bin that can be used")
    return found.most_common(1)[0][0]


def _members(plan: Plan) -> tuple[Member, ...]:
    most = 65_535 - PORTS_PER_NODE * plan.nodes - 2
    if not 1_024 <= plan.base_port <= most:
        raise DeploymentError(f"base port {plan.base_port} is not in 1024..{most}")
    first_ports = [plan.base_port + PORTS_PER_NODE * number for number in range(1, plan.nodes + 1)]
    return tuple(
        Member(number, LOCAL_HOST, first, first + 1, first + 2)
        for number, first in enumerate(first_ports, start=1)
    )


def _write_node(
    folder: Path,
    number: int,
    members: tuple[Member, ...],
    profile: str,
    genesis: bytes,
    cluster_key: bytes,
) -> None:
    for part in (folder, folder / "journal", folder / "log"):
        part.mkdir(mode=_FOLDER_MODE)
    _write_secret(folder / "genesis.bin", genesis)
    (folder / "fresh").touch(mode=0o600)  # Never started: its empty journal has forgotten nothing.
    _write_secret(folder / "cluster.key", cluster_key)
    (folder / "node.toml").write_text(_node_toml(number, members, profile))


def _node_toml(number: int, members: tuple[Member, ...], profile: str) -> str:
    lines = [
        "# This node's own settings; anything that its profile sets can be set here instead.",
        f"number = {number}",
        'data = "."',
        f'profile = "{profile}"',
    ]
    for member in members:
        lines += [
            "",
            "[[members]]",
            f"number = {member.number}",
            f'host = "{member.host}"',
            f"client_port = {member.client_port}",
            f"peer_port = {member.peer_port}",
            f"http_port = {member.http_port}",
        ]
    return "\n".join(lines) + "\n"


def _write_secret(file: Path, content: bytes) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _SECRET_MODE)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(content)
