"""What a simulated cluster is made of: members, keys, genesis, and sizes small enough to matter."""

from dataclasses import dataclass, field
from dataclasses import replace as replace_timing
from functools import lru_cache
from random import Random

from msgspec.structs import replace
from nacl.signing import SigningKey

from config import Member, NodeConfig, load_profile
from config.schema import Profile, Storage
from node.consensus.timing import Timing
from node.domain.genesis import Genesis, default_limits
from node.domain.limits import Limit

PEER_PORT = 7000
CLIENT_PORT = 7001
HTTP_PORT = 7002
EPOCH_NS = 1_800_000_000 * 1_000_000_000
_SMALL = Timing(
    frame_bytes=600,
    window_bytes=4_000,
    chunk_bytes=4_096,
    chunk_window=3,
    margin_bytes=400,
    group_bytes=4_096,
)
_LARGE = Timing(margin_bytes=64 << 10)
_OPERATOR = SigningKey(b"operator of a simulated venue".ljust(32, b"."))


@lru_cache(maxsize=1)
def _profile() -> Profile:
    return load_profile("default")


@lru_cache(maxsize=64)
def trader_key(number: int) -> SigningKey:
    """Return the key of the `number`th simulated trader."""
    return SigningKey(f"simulated trader {number}".encode().ljust(32, b"."))


@dataclass(slots=True)
class Setting:
    """One cluster. Small sizes let a few hundred bytes cross every boundary; some seeds have it."""

    nodes: int
    genesis: Genesis
    cluster_key: bytes
    timing: Timing
    segment_bytes: int
    epoch_ns: int = EPOCH_NS
    _configs: dict[int, NodeConfig] = field(default_factory=dict)

    @property
    def numbers(self) -> list[int]:
        """The node numbers."""
        return list(range(1, self.nodes + 1))

    @property
    def operator(self) -> SigningKey:
        """The key that genesis trusts."""
        return _OPERATOR

    @property
    def window_most(self) -> int:
        """The largest window of replies that a session may ask for."""
        return self.genesis.limits[Limit.REPLIES_PER_SESSION]

    def address(self, number: int) -> str:
        """Return the host of a node."""
        return f"10.0.0.{number}"

    @property
    def client_addresses(self) -> list[tuple[str, int]]:
        """Where clients connect."""
        return [(self.address(number), CLIENT_PORT) for number in self.numbers]

    def config(self, number: int) -> NodeConfig:
        """Return a node's configuration."""
        known = self._configs.get(number)
        if known is None:
            profile = _profile()
            known = self._configs[number] = NodeConfig(
                number,
                "/node",
                [
                    Member(member, self.address(member), CLIENT_PORT, PEER_PORT, HTTP_PORT)
                    for member in self.numbers
                ],
                profile.timing,
                profile.groups,
                profile.gateway,
                _storage(profile, self.segment_bytes),
                profile.logging,
            )
        return known


def _storage(profile: Profile, segment_bytes: int) -> Storage:
    return replace(profile.storage, journal_segment_bytes=segment_bytes)


def draw_setting(random: Random, nodes: int) -> Setting:
    """Draw a cluster of `nodes` nodes."""
    limits = list(default_limits())
    limits[Limit.SWEEP_ITEMS_PER_GROUP] = 16
    limits[Limit.CANCELS_PER_COMMAND] = random.choice((2, 8, 256))
    limits[Limit.FILLS_PER_ORDER] = random.choice((2, 8, 1_000))
    limits[Limit.OPEN_ORDERS_PER_ACCOUNT] = random.choice((8, 40, 100_000))
    limits[Limit.REPLIES_PER_SESSION] = random.choice((16, 64, 8_192))
    genesis = Genesis(random.randbytes(16), 0, bytes(_OPERATOR.verify_key), tuple(limits))
    small = random.random() < 0.7
    return Setting(
        nodes,
        genesis,
        random.randbytes(32),
        replace_timing(_SMALL if small else _LARGE, heartbeat=random.choice((0.03, 0.05, 0.05))),
        random.choice((4_000, 20_000)) if small else 1 << 20,
    )
