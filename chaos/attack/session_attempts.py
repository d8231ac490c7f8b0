"""Attempts of those who may log in, to do more than they may: each kind one function."""

import random as randomness
from collections.abc import Callable

from chaos.attack.knock import Answer, Knock
from chaos.attack.login_attempts import Attempt
from chaos.attack.victim import Victim
from node.domain.commands import MARKET_CLOSE, MARKET_HALT, MARKET_RESOLVE, MARKET_VOID
from node.protocol import encoding, messages
from node.protocol.command_frames import CommandFrames

Writer = Callable[[CommandFrames, randomness.Random, int, int], None]
"""Writes one command of an account, of so many."""


class Sessions:
    """One open session of each trader, resumed for each attempt: an attack opens no others."""

    def __init__(self) -> None:
        """Know none yet."""
        self.numbers: dict[int, int] = {}
        """Session by trader."""

    async def open(self, victim: Victim) -> None:
        """Open one for each trader."""
        for place, key in enumerate(victim.traders):
            async with await Knock.at(victim.client_port(victim.leader)) as knock:
                self.numbers[place], _ = await knock.log_in(key)


async def _as_reader(victim: Victim, random: randomness.Random, said: bytes) -> Answer:
    node = random.choice((victim.leader, victim.follower))
    async with await Knock.at(victim.client_port(node)) as knock:
        await knock.log_in(random.choice(victim.traders), purpose=messages.READ)
        knock.send(said)
        return await knock.answer()


async def reader_sends_commands(victim: Victim, random: randomness.Random) -> Answer:
    """Trade on a connection that was opened for reading."""
    frames = CommandFrames(random.choice((1, 7)))
    if random.random() < 0.5:
        frames.place(1, 1, random.getrandbits(62) + 1, 5_000, 1, 1, 100)
    else:
        frames.cancel_all(1, 0, 0, 0)
    return await _as_reader(victim, random, frames.take())


async def reader_injects_session_open(victim: Victim, random: randomness.Random) -> Answer:
    """Send SESSION_OPEN behind a login for reading."""
    key = bytes(random.choice(victim.traders).verify_key)
    record = encoding.encode_session_open(key, 64, random.randbytes(32), random.randbytes(64))
    return await _as_reader(victim, random, record[8:])


async def foreign_questions(victim: Victim, random: randomness.Random) -> Answer:
    """Ask for another's account, orders or executions, or for the list of accounts."""
    place = random.randrange(len(victim.traders))
    other = (place + random.randrange(1, len(victim.traders))) % len(victim.traders) + 1
    own = (messages.ACCOUNT, messages.POSITIONS, messages.OPEN_ORDERS)
    said = random.choice(
        (
            *(encoding.encode_query(1, subject, other, 0, 0, 0, 0) for subject in own),
            encoding.encode_query(1, messages.ACCOUNTS, 0, 0, 0, 0, 0),
            encoding.encode_subscribe(1, messages.EXECUTIONS, other, 0, 0, 0),
            encoding.encode_subscribe(1, messages.EXECUTIONS, 0, 0, 0, 0),
            encoding.encode_subscribe(1, messages.VENUE, 0, 0, 0, 0),
        )
    )
    async with await Knock.at(victim.client_port(victim.leader)) as knock:
        await knock.log_in(victim.traders[place], purpose=messages.READ)
        knock.send(said)
        return await knock.answer()


async def second_login(victim: Victim, random: randomness.Random) -> Answer:
    """Log in as another on a connection that is logged in, or while it logs in."""
    first, second = random.sample(victim.traders, 2)
    node = random.choice((victim.leader, victim.follower))
    async with await Knock.at(victim.client_port(node)) as knock:
        await knock.log_in(first, purpose=messages.READ)
        purpose = random.choice((messages.READ, messages.TRADE))
        knock.send(knock.login_frame(second, purpose=purpose, window=64))
        return await knock.answer()


def session_attempts(sessions: Sessions) -> dict[str, Attempt]:
    """Return the attempts that go through the open `sessions`."""

    async def resume_of_another(victim: Victim, random: randomness.Random) -> Answer:
        """Resume a session that belongs to another key."""
        mine, theirs = random.sample(range(len(victim.traders)), 2)
        async with await Knock.at(victim.client_port(victim.leader)) as knock:
            session = sessions.numbers[theirs]
            knock.send(knock.login_frame(victim.traders[mine], session=session))
            return await knock.answer()

    async def resume_with_wrong_key(victim: Victim, random: randomness.Random) -> Answer:
        """Resume a session in its owner's name without its owner's key."""
        mine, theirs = random.sample(range(len(victim.traders)), 2)
        async with await Knock.at(victim.client_port(victim.leader)) as knock:
            owner, signer = victim.traders[theirs], victim.traders[mine]
            session = sessions.numbers[theirs]
            knock.send(knock.login_frame(owner, session=session, signer=signer))
            return await knock.answer()

    return {
        "resuming another's session": resume_of_another,
        "resuming without the key": resume_with_wrong_key,
        "reader sends commands": reader_sends_commands,
        "reader injects SESSION_OPEN": reader_injects_session_open,
        "asking for what is another's": foreign_questions,
        "second login on a connection": second_login,
    }


async def operator_commands(
    victim: Victim, sessions: Sessions, random: randomness.Random, count: int
) -> list[Answer]:
    """Send `count` commands that only an operator may send, in traders' sessions."""
    return await _in_session(victim, random, sessions, count, _operator_command)


async def foreign_account(
    victim: Victim, sessions: Sessions, random: randomness.Random, count: int
) -> list[Answer]:
    """Send `count` commands on accounts that are another's, in traders' sessions."""
    return await _in_session(victim, random, sessions, count, _foreign_command)


async def _in_session(
    victim: Victim, random: randomness.Random, sessions: Sessions, count: int, write: Writer
) -> list[Answer]:
    place = random.randrange(len(victim.traders))
    answers: list[Answer] = []
    async with await Knock.at(victim.client_port(victim.leader)) as knock:
        key, session = victim.traders[place], sessions.numbers[place]
        _, sequence = await knock.log_in(key, session=session)
        frames = CommandFrames(sequence)
        for _ in range(count):
            write(frames, random, place + 1, len(victim.traders))
            knock.send(frames.take())
            answers.append(await knock.answer())
    return answers


def _operator_command(
    frames: CommandFrames, random: randomness.Random, account: int, accounts: int
) -> None:
    del accounts
    kind = random.randrange(9)
    if kind == 0:
        frames.account_open(1, random.randbytes(20), random.randbytes(32))
    elif kind == 1:
        frames.deposit(account, 1_000_000, random.randrange(1, 1 << 20))
    elif kind == 2:
        frames.event_create(exclusive=True, name="mine")
    elif kind == 3:
        frames.market_create(1, 1, 0, 0, "mine")
    elif kind == 4:
        frames.lifecycle(random.choice((MARKET_HALT, MARKET_CLOSE, MARKET_VOID)), 1, 0)
    elif kind == 5:
        frames.lifecycle(MARKET_RESOLVE, 1, 10_000)
    elif kind == 6:
        frames.key_grant(3, 0, random.randbytes(32))
    elif kind == 7:
        frames.configure(random.randrange(20), 1)
    else:
        frames.checkpoint()


def _foreign_command(
    frames: CommandFrames, random: randomness.Random, account: int, accounts: int
) -> None:
    other = (account - 1 + random.randrange(1, accounts)) % accounts + 1
    if random.random() < 0.1:
        other = random.choice((0, -1, 1 << 30, accounts + 1))
    kind = random.randrange(6)
    if kind == 0:
        frames.place(other, 1, random.getrandbits(62) + 1, 5_000, 1, 1, 100)
    elif kind == 1:
        frames.cancel(other, 1, 1, 0)
    elif kind == 2:
        frames.reduce(other, 1, 1, 0, 1)
    elif kind == 3:
        frames.cancel_all(other, 0, 0, 0)
    elif kind == 4:
        frames.split(other, 1, 1)
    else:
        frames.merge(other, 1, 1)
