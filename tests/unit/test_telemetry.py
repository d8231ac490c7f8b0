"""Counters, the collector, the operators' page and the log."""

import json
import re
from http.client import HTTPConnection
from itertools import count
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from node.telemetry.histogram import BUCKETS, Histogram, cumulative
from node.telemetry.http_page import OperatorPage
from node.telemetry.logs import LOG_FILE, LogFile, configure_logs
from node.telemetry.metrics import NodeCollector, metric_names
from node.telemetry.readings import (
    Build,
    CheckpointReading,
    ConsensusReading,
    GatewayReading,
    Readings,
    Standing,
    VenueReading,
)
from node.telemetry.stages import STAGES, StageClock

ROOT = Path(__file__).resolve().parents[2]


def readings(leader: int = 1) -> Readings:
    """Return what a busy leader would say of itself."""
    stages = StageClock(lambda: 0)
    stages.histograms["total"].observe(1_500)
    return Readings(
        Build("0.1.0", "pure"),
        Standing("0c" * 16, 1, "leader", True, 3, leader, 10, 10, 11, "ab" * 32),
        CheckpointReading(5, "cd" * 32, "ef" * 32),
        VenueReading(1, 2, 3, 4, 5, 600, {"UNKNOWN_ORDER": 7}),
        GatewayReading(1, 2, 300, 400, 0, {"THROTTLED": 2}),
        ConsensusReading(1, 9, 4096, 1, {2: 0, 3: 4}),
        histograms={
            **stages.histograms,
            "fsync": Histogram(),
            "group_commands": stages.group_commands,
        },
    )


def test_a_histogram_counts_every_value_once() -> None:
    """No value is lost, however long or negative it is."""
    histogram = Histogram()
    for value in (-5, 0, 1, 2, 1_000, 1 << 60):
        histogram.observe(value)

    assert histogram.count == 6
    assert histogram.counts[0] == 2
    assert histogram.counts[BUCKETS - 1] == 1


def test_a_quantile_is_never_below_the_value_and_at_most_twice_it() -> None:
    """What an operator reads is a safe bound."""
    histogram = Histogram()
    for value in range(1, 1_001):
        histogram.observe(value)

    assert 500 <= histogram.quantile(0.5) <= 1_000
    assert 990 <= histogram.quantile(0.99) <= 1_980


def test_buckets_grow_and_end_in_infinity() -> None:
    """Prometheus gets cumulative buckets."""
    histogram = Histogram()
    for value in (1, 3, 3, 900):
        histogram.observe(value)
    buckets, total = cumulative(histogram.counts, histogram.total, 1)

    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    assert buckets[-1] == ("+Inf", 4.0)
    assert total == 907


def test_stages_are_timed_only_for_groups_that_were_proposed_here() -> None:
    """A follower's groups have no waiting time; lost proposals are skipped."""
    now_ns = count(1_000, 1_000)
    stages = StageClock(lambda: next(now_ns))
    stages.proposed(100, 0)
    stages.proposed(200, 0)
    stages.committed(200, 5, 500)
    stages.applied()
    stages.replied()
    stages.committed(300, 5, 500)
    stages.applied()
    stages.replied()

    assert stages.histograms["quorum"].total == 1_000
    assert stages.histograms["total"].total == 5_000
    assert stages.histograms["apply"].count == 2
    assert stages.group_commands.count == 2


def test_every_stage_is_exposed() -> None:
    """What is measured can be seen."""
    registry = CollectorRegistry()
    registry.register(NodeCollector(readings))
    families = {
        family.name: family
        for family in text_string_to_metric_families(generate_latest(registry).decode())
    }
    stages = {sample.labels["stage"] for sample in families["quorumbook_stage_seconds"].samples}

    assert stages == set(STAGES)


def test_rejections_and_lag_have_one_label_each() -> None:
    """Labels are codes and peers, never markets."""
    registry = CollectorRegistry()
    registry.register(NodeCollector(readings))
    text = generate_latest(registry).decode()

    assert 'quorumbook_rejections_total{code="UNKNOWN_ORDER"} 7.0' in text
    assert 'quorumbook_peer_lag_entries{peer="3"} 4.0' in text
    assert "market=" not in text


def test_the_operations_page_documents_exactly_the_metrics_that_exist() -> None:
    """Documentation and collector cannot drift apart."""
    text = (ROOT / "docs" / "operations.md").read_text()
    documented = set(re.findall(r"^\| `(quorumbook_[a-z_]+)`", text, re.MULTILINE))

    assert documented == set(metric_names())


def test_the_page_serves_metrics_status_and_health() -> None:
    """Three addresses answer, anything else is told what there is."""
    page = OperatorPage("127.0.0.1", 0, readings)
    page.start()
    try:
        connection = HTTPConnection("127.0.0.1", page.port, timeout=5)
        answers = {}
        for path in ("/metrics", "/status", "/healthz", "/"):
            connection.request("GET", path)
            answer = connection.getresponse()
            answers[path] = (answer.status, answer.read())
        connection.close()
    finally:
        page.stop()
    status = json.loads(answers["/status"][1])

    assert [answers[path][0] for path in ("/metrics", "/status", "/healthz", "/")] == [
        200,
        200,
        200,
        404,
    ]
    assert (status["role"], status["checkpoint"]["index"], status["venue"]["accounts"]) == (
        "leader",
        5,
        2,
    )
    assert status["build"] == {"version": "0.1.0", "form": "pure"}
    assert (status["cluster_id"], status["node"]) == ("0c" * 16, 1)


def test_a_node_without_a_leader_is_not_healthy() -> None:
    """A balancer stops asking a node that knows no leader."""
    page = OperatorPage("127.0.0.1", 0, lambda: readings(leader=0))
    page.start()
    try:
        connection = HTTPConnection("127.0.0.1", page.port, timeout=5)
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
        connection.close()
    finally:
        page.stop()

    assert status == 503


def test_a_log_line_is_one_json_object_with_the_node(tmp_path: Path) -> None:
    """Machines can read the log, and tell the nodes apart."""
    configure_logs(tmp_path, "info", 2)
    try:
        structlog.get_logger().info("snapshot_saved", index=7, key=b"\x01")
        structlog.get_logger().debug("not_written")
    finally:
        structlog.get_config()["logger_factory"]._file.close()
        structlog.reset_defaults()
    lines = (tmp_path / LOG_FILE).read_text().splitlines()

    assert len(lines) == 1
    assert json.loads(lines[0])["event"] == "snapshot_saved"
    assert json.loads(lines[0])["node"] == 2


def test_a_log_that_grows_is_rotated_while_it_runs(tmp_path: Path) -> None:
    """Two files at most, whole lines in each, and none of the newest lost."""
    lines = [f"line {number:03}\n".encode() for number in range(100)]
    file = LogFile(tmp_path, rotate_at_bytes=90)
    for line in lines[:50]:
        file.write(line)
        file.flush()
    file.close()
    file = LogFile(tmp_path, rotate_at_bytes=90)  # A restart goes on where it was.
    for line in lines[50:]:
        file.write(line)
        file.flush()
    file.close()
    older, newer = sorted(tmp_path.iterdir(), reverse=True)

    assert (older.name, newer.name) == ("node.jsonl.1", LOG_FILE)
    assert older.read_bytes() + newer.read_bytes() == b"".join(lines[-20:])


def test_a_log_that_cannot_be_rotated_goes_on(tmp_path: Path) -> None:
    """Whatever stands in the way of a new file, a line is not lost and the node not harmed."""
    (tmp_path / "node.jsonl.1").mkdir()
    file = LogFile(tmp_path, rotate_at_bytes=10)
    for _ in range(5):
        file.write(b"a line\n")
    file.close()

    assert (tmp_path / LOG_FILE).read_bytes() == b"a line\n" * 5
