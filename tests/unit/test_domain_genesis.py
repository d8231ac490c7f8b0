"""Genesis: what a cluster begins with is checked before there is one."""

import pytest

from node.domain.genesis import Genesis, default_limits
from node.domain.limits import LIMIT_RANGES, Limit

CLUSTER = b"sixteen bytes id"
KEY = bytes(range(32))


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ((b"short", 0, KEY, default_limits()), "16 bytes"),
        ((CLUSTER, -1, KEY, default_limits()), "shard"),
        ((CLUSTER, 32_768, KEY, default_limits()), "shard"),
        ((CLUSTER, 0, KEY[1:], default_limits()), "public key"),
        ((CLUSTER, 0, KEY, default_limits()[1:]), "limits"),
        ((CLUSTER, 0, KEY, (0, *default_limits()[1:])), "limit 0 is 0"),
    ],
)
def test_what_is_out_of_range_is_refused(
    arguments: tuple[bytes, int, bytes, tuple[int, ...]], what: str
) -> None:
    """With words that say what, and what it may be."""
    with pytest.raises(ValueError, match=what):
        Genesis(*arguments)


def test_every_limit_has_a_range_around_its_default() -> None:
    """In the order of their numbers."""
    assert len(LIMIT_RANGES) == len(Limit)
    assert all(one.least <= one.default <= one.most for one in LIMIT_RANGES)


def test_genesis_has_canonical_bytes() -> None:
    """Two that say the same are the same; one limit more makes another cluster."""
    one = Genesis(CLUSTER, 1, KEY, default_limits())
    other = Genesis(CLUSTER, 1, KEY, (17, *default_limits()[1:]))
    assert one.encode() == Genesis(CLUSTER, 1, KEY, default_limits()).encode() != other.encode()
    assert one.encode().startswith(b"QBGENES1" + CLUSTER)
