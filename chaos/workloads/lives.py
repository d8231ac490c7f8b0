"""What the simulated operator says of the lives of markets: times and pauses."""

from random import Random

from nacl.signing import SigningKey

from chaos.workloads.knowledge import Knowledge
from node.domain import terms
from node.domain.identifiers import EVIDENCE_SIZE, OUTCOMES_SIZE
from node.protocol.attestation import attestation_statement
from node.protocol.command_frames import CommandFrames

RESOLVERS = tuple(SigningKey(b"resolver".ljust(31, b".") + bytes([n])) for n in range(2))


def market_times(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Have a market but the first open or close soon, late or never."""
    now_ns = known.now_ns()
    opens_at = random.choice((0, 0, now_ns + random.randrange(300_000_000)))
    closes_at = random.choice((0, 0, now_ns + random.randrange(1_000_000_000), now_ns + (1 << 50)))
    frames.market_times(random.randint(2, known.markets), opens_at, closes_at)


def auction_call(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Call a market, which must not be open, now or soon; or take that back."""
    begins_at = random.choice((0, 0, 0, -1, known.now_ns() + random.randrange(300_000_000)))
    frames.auction_call(random.randint(1, known.markets), begins_at)


def pause(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Pause something, or, as often as not, let it go on."""
    level = random.choice((0, 0, 0, terms.PAUSE_POST_ONLY, terms.PAUSE_CANCEL_ONLY, 3))
    scope = random.choice((terms.PAUSE_MARKET, terms.PAUSE_MARKET, terms.PAUSE_ACCOUNT, 2, 1))
    most = known.accounts if scope == terms.PAUSE_ACCOUNT else known.markets
    subject = random.randint(1, most) if scope >= terms.PAUSE_MARKET else 2 - scope
    if scope in (terms.PAUSE_EVENT, terms.PAUSE_VENUE):
        level = random.choice((0, 0, 0, 0, level))
        subject = scope - 1
    frames.pause(scope, subject, level)


def convert(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Convert what may be held: NO of some of the first outcomes of an event."""
    bits = random.randint(1, 7)
    outcomes = bits.to_bytes(OUTCOMES_SIZE, "little")
    frames.convert(known.account, random.randint(1, 2), random.randint(1, 6), outcomes)


def merge_outcomes(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Merge YES of every outcome, where there may be some."""
    frames.merge_outcomes(known.account, random.randint(1, 2), random.randint(1, 4))


def event_resolve(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Name a winner; it is rejected until all markets of the event are closed."""
    frames.event_resolve(random.randint(1, 3), random.randint(1, known.markets))


def outcome_name(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Name a market, which mostly has a name."""
    frames.outcome_name(random.randint(1, known.markets + 3), "outcome")


EVIDENCE = bytes(EVIDENCE_SIZE)


def propose(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Propose what some market comes to."""
    price = random.choice((0, 0, 3_333, 10_000, 10_000))
    frames.propose(random.randint(2, known.markets), price, EVIDENCE)


def decide(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Decide what is mostly not disputed."""
    frames.decide(random.randint(2, known.markets), random.choice((0, 10_000)), EVIDENCE)


def dispute(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Dispute what may be proposed."""
    frames.dispute(random.randint(2, known.markets), EVIDENCE)


def attest(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Relay a resolver's word; the resolver may not be registered yet."""
    market, price = random.randint(2, known.markets), random.choice((0, 10_000))
    resolver, turn = random.choice(RESOLVERS), random.choice((0, 0, 1))
    public_key = bytes(resolver.verify_key)
    unsigned = CommandFrames(1)
    unsigned.attest(market, turn, price, EVIDENCE, public_key, bytes(64))
    statement = attestation_statement(known.cluster_id, unsigned.take())
    signature = resolver.sign(statement).signature
    frames.attest(market, turn, price, EVIDENCE, public_key, signature)


def grant_resolver(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Register one of the resolvers."""
    del known
    frames.key_grant(terms.RESOLVER, 0, bytes(random.choice(RESOLVERS).verify_key))
