"""Every metric of a node, in one table, and the collector that reads them when Prometheus asks."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from node.telemetry.histogram import cumulative
from node.telemetry.readings import Readings

_SECONDS: Final = 1e-9

Labelled = Mapping[str, float]


class Scalar(NamedTuple):
    """A counter or gauge. With a `label`, the reading is a mapping from the label's values."""

    name: str
    kind: type[CounterMetricFamily] | type[GaugeMetricFamily]
    help: str
    label: str
    read: Callable[[Readings], float | Labelled]


class Distribution(NamedTuple):
    """A histogram, or one a value of `label`.

    `sources` maps these values to the node's histograms.
    """

    name: str
    help: str
    label: str
    scale: float
    sources: Mapping[str, str]


_COUNTER: Final = CounterMetricFamily
_GAUGE: Final = GaugeMetricFamily

SCALARS: Final = (
    Scalar("quorumbook_term", _GAUGE, "Current Raft term", "", lambda now: now.standing.term),
    Scalar(
        "quorumbook_leader",
        _GAUGE,
        "Number of the leader, 0 while unknown",
        "",
        lambda now: now.standing.leader,
    ),
    Scalar(
        "quorumbook_is_leader",
        _GAUGE,
        "1 on the leader once it takes commands",
        "",
        lambda now: float(now.standing.role == "leader" and now.standing.ready),
    ),
    Scalar(
        "quorumbook_commit_index",
        _GAUGE,
        "Last index known committed",
        "",
        lambda now: now.standing.commit_index,
    ),
    Scalar(
        "quorumbook_applied_index",
        _GAUGE,
        "Last index applied",
        "",
        lambda now: now.standing.applied_index,
    ),
    Scalar(
        "quorumbook_last_index",
        _GAUGE,
        "Last index in the journal",
        "",
        lambda now: now.standing.last_index,
    ),
    Scalar(
        "quorumbook_checkpoint_index",
        _GAUGE,
        "Index of the last durable checkpoint",
        "",
        lambda now: now.checkpoint.index,
    ),
    Scalar(
        "quorumbook_peer_lag_entries",
        _GAUGE,
        "Entries that a peer is behind the leader; on the leader",
        "peer",
        lambda now: {str(peer): float(lag) for peer, lag in now.consensus.lag.items()},
    ),
    Scalar(
        "quorumbook_elections",
        _COUNTER,
        "Elections this node has started",
        "",
        lambda now: now.consensus.elections,
    ),
    Scalar(
        "quorumbook_groups_proposed",
        _COUNTER,
        "Groups this node has proposed",
        "",
        lambda now: now.consensus.groups_proposed,
    ),
    Scalar(
        "quorumbook_journal_bytes",
        _GAUGE,
        "Bytes of entries that the journal holds",
        "",
        lambda now: now.consensus.journal_bytes,
    ),
    Scalar(
        "quorumbook_event_journal_bytes",
        _GAUGE,
        "Bytes of the event journal",
        "",
        lambda now: now.event_journal_bytes,
    ),
    Scalar(
        "quorumbook_sessions",
        _GAUGE,
        "Sessions in replicated state",
        "",
        lambda now: now.venue.sessions,
    ),
    Scalar("quorumbook_accounts", _GAUGE, "Accounts", "", lambda now: now.venue.accounts),
    Scalar("quorumbook_events", _GAUGE, "Events", "", lambda now: now.venue.events),
    Scalar("quorumbook_markets", _GAUGE, "Markets", "", lambda now: now.venue.markets),
    Scalar(
        "quorumbook_open_orders", _GAUGE, "Resting orders", "", lambda now: now.venue.open_orders
    ),
    Scalar(
        "quorumbook_commands_applied",
        _COUNTER,
        "Commands applied since genesis",
        "",
        lambda now: now.venue.commands_applied,
    ),
    Scalar(
        "quorumbook_rejections",
        _COUNTER,
        "Commands rejected by the rules since this process started",
        "code",
        lambda now: dict(now.venue.rejections),
    ),
    Scalar(
        "quorumbook_refusals",
        _COUNTER,
        "Frames and logins refused at the door; they never reach the log",
        "code",
        lambda now: dict(now.gateway.refusals),
    ),
    Scalar(
        "quorumbook_connections",
        _GAUGE,
        "Open client connections",
        "",
        lambda now: now.gateway.connections,
    ),
    Scalar(
        "quorumbook_connections_accepted",
        _COUNTER,
        "Client connections accepted",
        "",
        lambda now: now.gateway.connections_total,
    ),
    Scalar(
        "quorumbook_received_bytes",
        _COUNTER,
        "Bytes received from clients",
        "",
        lambda now: now.gateway.received_bytes,
    ),
    Scalar(
        "quorumbook_sent_bytes",
        _COUNTER,
        "Bytes sent to clients",
        "",
        lambda now: now.gateway.sent_bytes,
    ),
    Scalar(
        "quorumbook_pending_bytes",
        _GAUGE,
        "Bytes of commands that wait for a group",
        "",
        lambda now: now.gateway.pending_bytes,
    ),
    Scalar(
        "quorumbook_checkpoint_pause_seconds_max",
        _GAUGE,
        "Longest slice of a checkpoint",
        "",
        lambda now: now.pause_ns_max * _SECONDS,
    ),
)

DISTRIBUTIONS: Final = (
    Distribution(
        "quorumbook_stage_seconds",
        "Where a group's time goes on the leader",
        "stage",
        _SECONDS,
        {stage: stage for stage in ("waiting", "quorum", "apply", "reply", "total")},
    ),
    Distribution(
        "quorumbook_group_commands", "Commands in an applied group", "", 1, {"": "group_commands"}
    ),
    Distribution("quorumbook_group_bytes", "Bytes of an applied group", "", 1, {"": "group_bytes"}),
    Distribution(
        "quorumbook_fsync_seconds", "One fdatasync of the journal", "", _SECONDS, {"": "fsync"}
    ),
    Distribution(
        "quorumbook_checkpoint_seconds",
        "From freezing a checkpoint to its durable commit",
        "",
        _SECONDS,
        {"": "checkpoint"},
    ),
)

BUILD_INFO: Final = "quorumbook_build_info"


def metric_names() -> list[str]:
    """Return the name of every metric as Prometheus shows it, counters with their `_total`."""
    scalars = [row.name + ("_total" if row.kind is _COUNTER else "") for row in SCALARS]
    return sorted([BUILD_INFO, *scalars, *(row.name for row in DISTRIBUTIONS)])


class NodeCollector(Collector):
    """Turns the readings of the moment into metric families; costs nothing until it is asked."""

    def __init__(self, read: Callable[[], Readings]) -> None:
        """Collect what `read` returns; it is called in the exporter's thread."""
        self._read = read

    def collect(self) -> Iterator[Metric]:
        """Yield every metric in the table."""
        now = self._read()
        build = GaugeMetricFamily(
            BUILD_INFO, "Version and form of the core", labels=["version", "form"]
        )
        build.add_metric([now.build.version, now.build.form], 1)
        yield build
        for scalar in SCALARS:
            yield _scalar(scalar, now)
        for distribution in DISTRIBUTIONS:
            yield _distribution(distribution, now)


def _scalar(row: Scalar, now: Readings) -> Metric:
    value = row.read(now)
    family = row.kind(row.name, row.help, labels=[row.label] if row.label else [])
    if isinstance(value, Mapping):
        for label, one in sorted(value.items()):
            family.add_metric([label], one)
    else:
        family.add_metric([], value)
    return family


def _distribution(row: Distribution, now: Readings) -> Metric:
    family = HistogramMetricFamily(row.name, row.help, labels=[row.label] if row.label else [])
    for label, source in row.sources.items():
        histogram = now.histograms.get(source)
        if histogram is not None:
            buckets, total = cumulative(list(histogram.counts), histogram.total, row.scale)
            family.add_metric([label] if row.label else [], buckets, total)
    return family
