"""Histories as clients would record them, of logs that a real venue executed."""

import random
from collections.abc import Sequence

from chaos.checkers.finding import Findings
from chaos.checkers.log_record import records_of, replies_of
from chaos.checkers.log_replay import LogReplay
from chaos.checkers.sequence_order import check_sequence_order
from chaos.history import Operation, Outcome
from node.domain.genesis import Genesis
from tests import commands as c
from tests.unit.audited_cluster import GENESIS, OPERATOR, build_log

GAP_NS = 1_000
"""Virtual time between two groups: group `index` commits at index x GAP_NS."""

History = list[Operation]
Log = list[tuple[int, bytes]]


def busy_run(groups: int = 40, *, seed: int = 1, width_ns: int = 0) -> tuple[History, Log]:
    """Return a busy venue's log and the history of its one session.

    Each command is asked for up to `width_ns` before its group commits and answered up to
    `width_ns` behind it: the wider, the more overlap.
    """
    log = [
        (index, payload[1:])
        for payload, index, _ in build_log(groups, seed=seed, checkpoint_every=7).entries
        if payload[:1] == b"\0"
    ]
    return history_of(log, width_ns=width_ns, rng=random.Random(seed)), log


def history_of(
    log: Log,
    *,
    width_ns: int = 0,
    rng: random.Random | None = None,
    genesis: Genesis = GENESIS,
) -> History:
    """Return what clients saw whose commands became `log`."""
    rng = rng or random.Random(1)
    replay = LogReplay(genesis)
    history = []
    for index, group in log:
        replies, _ = replay.apply(index, group)
        for record, reply in zip(records_of(group), replies_of(replies), strict=True):
            if record.session == 0:
                continue
            history.append(
                Operation(
                    client=record.session,
                    session=record.session,
                    sequence=record.sequence,
                    frame=record.frame,
                    invoked_ns=index * GAP_NS - 1 - rng.randint(0, width_ns),
                    returned_ns=index * GAP_NS + 1 + rng.randint(0, width_ns),
                    outcome=Outcome.OK if reply.code == 0 else Outcome.REJECTED,
                    code=reply.code,
                    log_index=reply.log_index,
                    result=reply.result,
                    filled=reply.filled,
                )
            )
    return history


def read_at(index: int, invoked_ns: int, returned_ns: int) -> Operation:
    """Return a read that was answered as of `index`."""
    return Operation(9, 0, 0, b"query", invoked_ns, returned_ns, Outcome.OK, log_index=index)


def judged(history: Sequence[Operation], log: Log, genesis: Genesis = GENESIS) -> Findings:
    """Return what the checker of the sequence order finds."""
    return check_sequence_order(history, log, genesis)


def trading_log(*groups: Sequence[bytes]) -> Log:
    """Return a log that opens session 1 (operator) with a funded venue, then `groups` of records.

    The set-up is indexes 1 to 3 and takes sequences 1 to 7; account 2 is HOLD, market 1 open.
    """
    setup: list[c.Command] = [
        c.EventCreate(),
        c.MarketCreate(1),
        c.MarketOpen(1),
        c.AccountOpen(b"\x01" * 20, b"\x01" * 32, 1),
        c.AccountOpen(b"\x02" * 20, b"\x02" * 32, 2),
        c.Deposit(1, 1_000_000_000, 1),
        c.Deposit(2, 1_000_000_000, 2),
    ]
    records = [
        [c.record(0, c.SessionOpen(OPERATOR, window=16).frame(0))],
        [record(number, command) for number, command in enumerate(setup, 1)],
        [],
        *groups,
    ]
    return [(index, c.group(group, index * 1_000)) for index, group in enumerate(records, 1)]


def record(sequence: int, command: c.Command, session: int = 1) -> bytes:
    """Return the record of one command."""
    return c.record(session, command.frame(sequence))


def order(sequence: int, *, lots: int = 5, cid: int = 0, intent: int = 1) -> bytes:
    """Return the record of an order of account 1 (intent 1) or account 2 (intent 3) at one half."""
    account = 1 if intent == 1 else 2
    return record(sequence, c.Place(account, 1, intent, 5_000, lots, cid or sequence))
