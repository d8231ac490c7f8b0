"""`quorumbook demo`: what `make run` shows."""

import shutil
import sys
import time
from pathlib import Path

import click

from client import ClientError
from cluster.console import FAILED, failures_explained, json_option, say_json, say_table, shares
from cluster.demonstration import ROWS, Story, free_base_port, play
from cluster.deployment import Deployment, DeploymentError, Plan, create_deployment, open_deployment
from cluster.flow import FlowError, read_flow
from cluster.flow_generator import generate_flow
from cluster.flow_stage import StageError
from cluster.processes import Watch, end_on_sigterm, start_node, stop_all
from node._pure import build_form

_LOOK_EVERY_SECONDS = 0.25
_DATA = Path(".quorumbook-demo")
_NODES = 3


@click.command("demo", short_help="trade, lose the leader, lose nothing")
@click.option(
    "--flow",
    "file",
    type=click.Path(path_type=Path),
    help="A recording; without one, a generated flow.",
)
@click.option(
    "--rows",
    type=click.IntRange(min=1_000),
    help=f"Of the generated flow.  [default: {ROWS['compiled']}; pure: {ROWS['pure']}]",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the generated flow.")
@click.option(
    "--once", is_flag=True, help="End after the report, with code 0 only if every claim held."
)
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    default=_DATA,
    show_default=True,
    help="Folder of the demonstration; what an earlier one left there is removed.",
)
@json_option
def command(
    file: Path | None, rows: int | None, seed: int, *, once: bool, data: Path, as_json: bool
) -> None:
    """Start three nodes, trade, kill the leader in the middle, and prove that nothing is lost.

    Then the cluster keeps serving until Ctrl-C.

    Example: quorumbook demo --flow race.csv.gz --once
    """
    say = (lambda _text: None) if as_json else _say
    with failures_explained(FlowError, StageError, ClientError):
        flow = read_flow(file) if file else generate_flow(rows or ROWS[build_form()], seed=seed)
        deployment = _fresh(data)
        end_on_sigterm()
        try:
            say(f"starting {_NODES} nodes in {data}")
            for member in deployment.members:
                start_node(deployment, member.number)
            story = play(deployment, flow, say)
            _report(story, as_json=as_json)
            if not once:
                _serve(deployment, story)
        finally:
            stop_all(deployment)
    if not all(claim.held for claim in story.claims()):
        sys.exit(FAILED)


def _fresh(data: Path) -> Deployment:
    """Return a new cluster; an earlier demonstration in its folder goes, all else is left alone."""
    if data.exists() and any(data.iterdir()):
        earlier = open_deployment(data)
        running = [
            member.number
            for member in earlier.members
            if earlier.running(member.number) is not None
        ]
        if running:
            raise DeploymentError(
                f"nodes {running} still run in {data}; `quorumbook down --data {data}` stops them"
            )
        if not (data / _MARKER).exists():
            raise DeploymentError(
                f"{data} holds a cluster that no demonstration made; choose another --data"
            )
        shutil.rmtree(data)
    deployment = create_deployment(data, Plan(_NODES, free_base_port(), "default"))
    (data / _MARKER).touch()
    return deployment


_MARKER = "demonstration"


def _report(story: Story, *, as_json: bool) -> None:
    said = story.as_dict()
    if as_json:
        say_json(said)
        return
    latency = story.result.latency
    seen = story.audit.acknowledgements
    rows = [
        (
            "commands",
            f"{said['commands']:,}, {said['per_second']:,} a second, one session, {said['core']}",
        ),
        ("fills", f"{said['fills']:,}" if said["fills"] is not None else "unknown"),
        ("volume", f"{shares(story.volume_lots)} shares"),
        (
            "rejections",
            "; ".join(
                f"{one.commands:,} {one.code}: {one.why or 'NOT EXPLAINED'}"
                for one in story.rejections
            )
            or "none",
        ),
        (
            "acknowledged after",
            f"p50 {_ms(latency.p50_ns)}, p99 {_ms(latency.p99_ns)}, at most {_ms(latency.most_ns)}",
        ),
        (
            "failover gap",
            f"{_ms(story.result.gap_ns)} from the last old to the first new acknowledgement",
        ),
        (
            "acknowledged / found in the log",
            f"{seen.total:,} / {seen.found:,}" if seen else "not looked for",
        ),
        *[
            (
                f"digest of node {one['node']}",
                f"{one['chain_digest'][:32]} at {one['applied_index']}",
            )
            for one in said["nodes"]
        ],
        ("conservation", _conservation(story)),
    ]
    say_table("", ("what", "found"), rows)
    for claim in story.claims():
        click.echo(f"{'held  ' if claim.held else 'FAILED'} {claim.text}")
    for finding in story.audit.all_findings():
        click.echo(f"finding: {finding}")


def _ms(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.1f} ms"


def _conservation(story: Story) -> str:
    kept = story.audit.nodes[0].conservation
    if kept is None:
        return "unknown"
    totals = ", ".join(f"{name} {value:,}" for name, value in kept.totals._asdict().items())
    return ("exact: " if not kept.findings else "BROKEN: ") + totals


def _serve(deployment: Deployment, story: Story) -> None:
    data = deployment.root
    market = story.result.stage.markets[0]
    tool = sys.argv[0]
    click.echo(f"""
The cluster keeps serving until Ctrl-C. Trade by hand in another terminal:
  {tool} --help
  {tool} status --data {data}
  {tool} depth {market} --data {data}
  {tool} account create alice --deposit 1000 --data {data}
  {tool} order place alice --market {market} --buy yes --price 0.4 --shares 10 --data {data}
  {tool} node kill {story.leader_after.node} --data {data}
""")
    watch = Watch(deployment, click.echo)
    try:
        while watch.look():
            time.sleep(_LOOK_EVERY_SECONDS)
    except KeyboardInterrupt:
        click.echo("stopping")


def _say(text: str) -> None:
    click.echo(f"{time.strftime('%H:%M:%S')} {text}")
