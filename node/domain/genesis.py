"""Genesis: what every replica of one cluster agrees on before the first log entry."""

from node.domain.identifiers import MAX_SHARD, PUBLIC_KEY_SIZE
from node.domain.limits import LIMIT_COUNT, LIMIT_RANGES


class Genesis:
    """The cluster's id, shard, first operator key and limits.

    Its bytes are the root of the chain digest.
    """

    def __init__(
        self, cluster_id: bytes, shard: int, operator_public_key: bytes, limits: tuple[int, ...]
    ) -> None:
        """Hold a 16-byte id, an Ed25519 public key, and a value for each `Limit`, in order.

        Raises ValueError when a size, the shard or a limit is out of range.
        """
        if len(cluster_id) != 16:
            raise ValueError(f"a cluster id has 16 bytes, not {len(cluster_id)}")
        if not 0 <= shard <= MAX_SHARD:
            raise ValueError(f"shard {shard} is not in 0..{MAX_SHARD}")
        if len(operator_public_key) != PUBLIC_KEY_SIZE:
            size = len(operator_public_key)
            raise ValueError(f"a public key has {PUBLIC_KEY_SIZE} bytes, not {size}")
        if len(limits) != LIMIT_COUNT:
            raise ValueError(f"genesis sets {LIMIT_COUNT} limits, not {len(limits)}")
        for number, (value, bounds) in enumerate(zip(limits, LIMIT_RANGES, strict=True)):
            if not bounds.least <= value <= bounds.most:
                raise ValueError(f"limit {number} is {value}, not in {bounds.least}..{bounds.most}")
        self.cluster_id = cluster_id
        self.shard = shard
        self.operator_public_key = operator_public_key
        self.limits = limits

    def encode(self) -> bytes:
        """Return the canonical bytes.

        64-bit little-endian integers and raw keys, in the order of the fields.
        """
        parts = [b"QBGENES1", self.cluster_id, self.shard.to_bytes(8, "little")]
        parts.append(self.operator_public_key)
        parts.extend(value.to_bytes(8, "little") for value in self.limits)
        return b"".join(parts)


def default_limits() -> tuple[int, ...]:
    """Return the default of every limit, in the order of `Limit`."""
    return tuple(bounds.default for bounds in LIMIT_RANGES)
