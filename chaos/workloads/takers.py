"""Buys that trade at once, for so much money or against a position; few others would fill."""

from random import Random

from chaos.workloads.knowledge import Knowledge
from node.domain import terms
from node.protocol.command_frames import CommandFrames


def take(frames: CommandFrames, random: Random, known: Knowledge) -> None:
    """Buy at a price that most sellers ask for less than, spending an amount or to reduce only."""
    known.note_place(frames.next_sequence)
    lots, spend, flags = random.choice((3, 8, 20)), 0, terms.REDUCE_ONLY
    if random.random() < 0.5:
        lots, spend, flags = random.choice((0, 40)), random.randint(2_000, 60_000), 0
    market = 1 if random.random() < 0.8 else random.randint(1, known.markets)
    frames.place_with_terms(
        known.account,
        market,
        known.new_client_order_id(),
        5_000 + 100 * random.randint(2, 6),
        random.choice((terms.BUY_YES, terms.BUY_NO)),
        random.choice((terms.IOC, terms.IOC, terms.FOK)),
        lots,
        0,
        0,
        terms.CANCEL_RESTING,
        flags,
        spend,
    )
