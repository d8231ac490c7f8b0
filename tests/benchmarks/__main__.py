"""`make bench`: engine and cluster in one table, then the same as one line of JSON.

FLOW=file measures a recording.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from cluster.benchmark import machine, measure_cluster
from cluster.commands.bench import COLUMNS, describe, row
from cluster.console import say_table
from cluster.flow import Flow, read_flow
from cluster.flow_generator import generate_flow
from node._pure import build_form

CLUSTER_ROWS = 300_000
RUNS = 3


def main() -> int:
    """Measure everything; return 1 when compiled and pure came to different digests."""
    named = os.environ.get("FLOW", "")
    flow = read_flow(Path(named)) if named else generate_flow(CLUSTER_ROWS)
    forms = ["pure"] if build_form() == "pure" else ["compiled", "pure"]
    engines = [_engine(form, named) for form in forms]
    clusters = [one.as_dict() for one in measure_cluster(_long_enough(flow), RUNS, _say)]
    rows = [_engine_row(one) for one in engines] + [row(build_form(), one) for one in clusters]
    say_table(describe(machine()), COLUMNS, rows)
    agree = len({one["chain_digest"] for one in engines}) == 1
    print(
        json.dumps(
            {"machine": machine(), "engine": engines, "cluster": clusters, "forms_agree": agree}
        )
    )
    return 0 if agree else 1


def _engine(form: str, flow: str) -> dict[str, Any]:
    """Measure the engine in a process of its own, in one form."""
    environment = {**os.environ, "QUORUMBOOK_PURE": "1" if form == "pure" else "0"}
    command = [sys.executable, "-m", "tests.benchmarks.engine", *([flow] if flow else [])]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    measured: dict[str, Any] = json.loads(done.stdout)
    assert measured["form"] == form  # Otherwise one form would be compared with itself.
    _say(f"engine alone, {form}: {measured['median']:,} a second")
    return measured


def _engine_row(figures: dict[str, Any]) -> tuple[object, ...]:
    speeds = ", ".join(f"{speed:,}" for speed in figures["per_second"])
    name = f"engine alone, {figures['flow']}"
    return (
        name,
        figures["form"],
        f"{figures['commands']:,}",
        f"{figures['median']:,}",
        speeds,
        "-",
        "-",
        "-",
    )


def _long_enough(flow: Flow) -> Flow:
    """Return the flow, or a generated one when a recording is over before throughput settles."""
    return flow if len(flow.rows) >= CLUSTER_ROWS // 5 else generate_flow(CLUSTER_ROWS)


def _say(text: str) -> None:
    print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
