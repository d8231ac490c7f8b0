"""`quorumbook resolution`: what closed markets come to, open to challenge until it is final."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import click

from client import Client, Reply
from client.resolving import Attestation
from cluster.clients import NUMBER, PRICE, read, trade
from cluster.console import (
    data_option,
    failures_explained,
    json_option,
    price,
    say_json,
    say_table,
)
from cluster.deployment import DeploymentError, open_deployment, read_key
from cluster.moments import at_text
from node.domain.identifiers import EVIDENCE_SIZE
from node.domain.terms import ResolutionStage


class Evidence(click.ParamType[bytes]):
    """A hash of 32 bytes in hexadecimal digits."""

    name = "hash"

    def convert(
        self,
        value: object,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> bytes:
        """Return the bytes; a usage error when there are not 32."""
        if isinstance(value, bytes):
            return value
        try:
            found = bytes.fromhex(str(value))
        except ValueError:
            found = b""
        if len(found) != EVIDENCE_SIZE:
            self.fail(f"{value!r} is not {EVIDENCE_SIZE} bytes in hexadecimal", param, ctx)
        return found


evidence_option = click.option(
    "--evidence",
    type=Evidence(),
    default=bytes(EVIDENCE_SIZE),
    help="A hash of what shows it, 64 hexadecimal digits.",
)


@click.group("resolution", short_help="propose what markets come to, attest, dispute, decide")
def command() -> None:
    """Propose or attest what closed markets come to, dispute proposals, and decide disputes.

    Example: quorumbook resolution propose 1 1
    """


@command.command("propose")
@click.argument("market", type=NUMBER)
@click.argument("outcome", type=PRICE)
@evidence_option
@data_option
@json_option
def propose(market: int, outcome: int, *, evidence: bytes, data: Path, as_json: bool) -> None:
    """Propose the price OUTCOME of YES for MARKET; final when nobody disputes it in time.

    In an exclusive event, 1 says that MARKET has won it.

    Example: quorumbook resolution propose 1 1
    """
    _say(
        data,
        market,
        "proposed",
        lambda client: client.admin.propose_resolution(market, outcome, evidence),
        as_json=as_json,
    )


@command.command("attest")
@click.argument("market", type=NUMBER)
@click.argument("outcome", type=PRICE)
@click.option("--by", "name", required=True, help="The name of a resolver's key.")
@click.option(
    "--round",
    "turn",
    type=click.IntRange(0, 255),
    default=0,
    show_default=True,
    help="How often MARKET was disputed before.",
)
@evidence_option
@data_option
@json_option
def attest(
    market: int,
    outcome: int,
    *,
    name: str,
    turn: int,
    evidence: bytes,
    data: Path,
    as_json: bool,
) -> None:
    """Sign as a resolver that MARKET comes to the price OUTCOME of YES.

    As many resolvers as the limit RESOLVER_QUORUM asks for make it the proposal, or decide its
    dispute, when they sign the same outcome and evidence.

    Example: quorumbook resolution attest 1 1 --by oracle
    """
    with failures_explained():
        deployment = open_deployment(data)
        file = deployment.key_file(name)
        if not file.exists():
            raise DeploymentError(
                f"there is no key {name!r}; `quorumbook keys init {name}` makes one, and "
                f"`quorumbook keys grant {name} resolver` lets it attest"
            )
        cluster_id = bytes.fromhex(deployment.cluster_id)
        word = Attestation(read_key(file), cluster_id, market, outcome, evidence, turn)
    _say(data, market, "attested", lambda client: client.resolving.attest(word), as_json=as_json)


@command.command("dispute")
@click.argument("market", type=NUMBER)
@evidence_option
@data_option
@json_option
def dispute(market: int, *, evidence: bytes, data: Path, as_json: bool) -> None:
    """Dispute what is proposed for MARKET: it must be decided.

    Example: quorumbook resolution dispute 1
    """
    _say(
        data,
        market,
        "disputed",
        lambda client: client.resolving.dispute(market, evidence),
        as_json=as_json,
    )


@command.command("decide")
@click.argument("market", type=NUMBER)
@click.argument("outcome", type=PRICE)
@evidence_option
@data_option
@json_option
def decide(market: int, outcome: int, *, evidence: bytes, data: Path, as_json: bool) -> None:
    """Decide the dispute about MARKET: the price OUTCOME of YES is final.

    Example: quorumbook resolution decide 1 0
    """
    _say(
        data,
        market,
        "decided",
        lambda client: client.admin.decide_resolution(market, outcome, evidence),
        as_json=as_json,
    )


@command.command("show")
@click.argument("market", type=NUMBER)
@data_option
@json_option
def show(market: int, *, data: Path, as_json: bool) -> None:
    """Show what MARKET is about to come to, who has attested what, and when it is final.

    Example: quorumbook resolution show 1
    """
    found = read(data, lambda client: client.queries.resolution(market))
    if found is None:
        if as_json:
            say_json({})
        else:
            click.echo(f"market {market}: nobody has said what it comes to, or it is final")
        return
    stage = ResolutionStage(found.stage).name.lower()
    if as_json:
        words = [(one.key, one.price, one.evidence.hex()) for one in found.attestations]
        facts = {**found._asdict(), "stage": stage, "evidence": found.evidence.hex()}
        say_json({**facts, "attestations": words})
        return
    said = [(one.key, price(one.price), one.evidence.hex()) for one in found.attestations]
    click.echo(f"market {market}: {stage} in round {found.round}")
    if found.stage != ResolutionStage.ATTESTING:
        click.echo(f"proposed: {price(found.price)}, evidence {found.evidence.hex()}")
    if found.stage == ResolutionStage.PROPOSED:
        click.echo(f"final at {at_text(found.final_at_ns)} unless it is disputed")
    say_table("attested", ("key", "price", "evidence"), said)


def _say(
    data: Path,
    market: int,
    step: str,
    work: Callable[[Client], Awaitable[Reply]],
    *,
    as_json: bool,
) -> None:
    index = trade(data, work).log_index
    if as_json:
        say_json({"market": market, "step": step, "log_index": index})
    else:
        click.echo(f"market {market}: {step} as of index {index}")
