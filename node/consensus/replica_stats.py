"""Plain counters of one replica, read by telemetry whenever it likes."""

from dataclasses import dataclass, field

BUCKETS = 48


def _buckets() -> list[int]:
    return [0] * BUCKETS


@dataclass(slots=True)
class ReplicaStats:
    """Everything counts from the start of the process.

    Bucket n holds values of n bits (below 2**n).
    """

    flushes: int = 0
    flush_bytes: int = 0
    flush_ns: int = 0
    flush_ns_buckets: list[int] = field(default_factory=_buckets)
    groups_proposed: int = 0
    group_bytes: int = 0
    group_bytes_buckets: list[int] = field(default_factory=_buckets)
    entries_applied: int = 0
    campaigns: int = 0
    terms_led: int = 0
    passes: int = 0
    connections: int = 0
    refusals: int = 0

    def count_flush(self, size: int, elapsed_ns: int) -> None:
        """Count one write and sync of `size` bytes."""
        self.flushes += 1
        self.flush_bytes += size
        self.flush_ns += elapsed_ns
        self.flush_ns_buckets[min(elapsed_ns.bit_length(), BUCKETS - 1)] += 1

    def count_group(self, size: int) -> None:
        """Count a proposed group of `size` bytes."""
        self.groups_proposed += 1
        self.group_bytes += size
        self.group_bytes_buckets[min(size.bit_length(), BUCKETS - 1)] += 1
