"""Transcripts: rules as conversations with a venue, one line a command, `->` and what it came to.

The lines are described in the README beside this file.
"""

import re
from collections.abc import Callable
from typing import Any

import tests.scenarios.order_statements  # noqa: F401 - its sentences join the others
from node.domain.codes import Code
from node.domain.terms import MarketState, Side
from tests import account_commands as a
from tests import commands as c
from tests.scenarios import account_statements, group_statements, risk_statements, rule_statements  # noqa: F401  (more sentences)
from tests.scenarios.amounts import TIME_DIGITS, parse, price, shares, usdc
from tests.scenarios.life_questions import clearing_of, pause_of, resolution_of, times_of
from tests.scenarios.statements import NOBODY, Meaning, Names, meaning
from tests.scenarios.telling import Telling
from tests.venue_driver import OPERATOR_KEY, Applied, Reply, VenueDriver, genesis
from tests.venue_pair import check_book, check_conserved

PREFIX = re.compile(r"(at sequence|in session|under rules) (-?\d+): (.*)")
ACCOUNT = re.compile(r"(\w+) opens a (NET|HOLD) account(?: with (\S+) USDC)?")
MARKET = re.compile(r"(exclusive )?market (\w+)( .*)?")


class Transcript:
    """One scenario while it is played."""

    def __init__(self) -> None:
        """Start before the first line; the venue is made by the first that needs it."""
        self.names = Names()
        self.limits: dict[str, int] = {}
        self._driver: VenueDriver | None = None
        self.sessions: dict[str, int] = {}
        self.said: dict[tuple[int, int], tuple[bytes, Reply]] = {}
        self.waiting: list[tuple[str, Meaning]] | None = None
        self.records: list[bytes] = []
        self.last = Applied([], [])

    @property
    def driver(self) -> VenueDriver:
        """The venue."""
        if self._driver is None:
            self._driver = VenueDriver(genesis(**self.limits), window=64, step_ns=1)
            self.sessions["operator"] = self._driver.operator
            self.names.key_number = self.key_number
        return self._driver

    def play(self, text: str) -> str:
        """Play one statement and return its outcome."""
        for pattern, method in QUESTIONS:
            if match := pattern.fullmatch(text):
                return method(self, *match.groups())
        if match := ACCOUNT.fullmatch(text):
            return self.open_account(*match.groups())
        if match := MARKET.fullmatch(text):
            return self.make_market(*match.groups())
        outcome = self.speak(text)
        check_conserved(self.driver)
        for market in self.names.markets.values():
            check_book(self.driver, market)
        self.driver.checkpoint()
        return outcome

    def finish(self) -> None:
        """Check that checkpoints after every line saved all that one at the end would save."""
        assert self.waiting is None, "a group has no end"
        assert self.driver.checkpoint() == self.driver.replayed().checkpoint()

    def speak(self, text: str) -> str:
        """Say a command, plain or with prefixes that bend its session, sequence or rules."""
        session, sequence, rules = 0, None, c.RULES_VERSION
        while match := PREFIX.fullmatch(text):
            kind, number, text = match[1], int(match[2]), match[3]
            if kind == "in session":
                session = number
            elif kind == "at sequence":
                sequence = number
            else:
                rules = number
        speaker, _, rest = text.partition(" ")
        said = meaning(self.names, speaker, rest)
        session = session or self.session_of(speaker)
        if sequence is None and session in self.driver.next_sequence:
            record = self.driver.record(said.command, session)
        else:
            record = c.record(session, said.command.frame(sequence or 1))
        if self.waiting is not None:
            self.waiting.append((speaker, said))
            self.records.append(record)
            return "waits"
        group = c.group(
            [record],
            self.driver.venue.stamp_ns + 1,
            rules_version=rules,
            shard=self.driver.venue.genesis.shard,
        )
        applied = self.driver.apply_group(group)
        (reply,) = applied.replies
        if applied.events or (session, reply.sequence) not in self.said:
            self.said[session, reply.sequence] = (record, reply)
        return self.tell(speaker, said, reply, applied)

    def tell(self, speaker: str, said: Meaning, reply: Reply, applied: Applied) -> str:
        """Return the outcome of a command and give what it made its name."""
        if reply.code == Code.OK and said.register is not None:
            said.register[said.name] = reply.result
        numbers = {number: name for name, number in self.names.accounts.items()}
        account = getattr(said.command, "account", 0) if speaker != "operator" else 0
        return Telling(numbers, account, applied).outcome(reply)

    def session_of(self, speaker: str) -> int:
        """Return the session in which somebody speaks, opened at the first word."""
        driver = self.driver
        if speaker not in self.sessions:
            self.sessions[speaker] = driver.open_session(self.names.key(speaker), window=16)
        return self.sessions[speaker]

    def key_number(self, public_key: bytes) -> int:
        """Return the number of a key, one that nobody has when it is unknown."""
        key = self.driver.venue.key_by_public(public_key)
        return key.number if key is not None else NOBODY

    def lose(self, name: str, before: str | None) -> str:
        """Say as the leader that somebody's client is gone; `before` it spoke again, perhaps."""
        session = self.session_of(name)
        waits_for = self.driver.next_sequence[session] - bool(before)
        frame = a.SessionGone(session, waits_for).frame(0)
        applied = self.driver.apply_records([c.record(0, frame)])
        if applied.replies[0].code != Code.OK:
            return f"refused {applied.replies[0].code.name}"
        numbers = {number: name for name, number in self.names.accounts.items()}
        return ", ".join(Telling(numbers, 0, applied).phrases()) or "nothing"

    def set_limits(self, text: str) -> str:
        """Set limits of the genesis."""
        assert self._driver is None, "limits come first"
        self.limits = {name: int(value) for name, value in re.findall(r"(\w+) (\d+)", text)}
        return "ok"

    def open_account(self, name: str, mode: str, cash: str | None) -> str:
        """Open an account and fund it."""
        outcome = self.speak(f"operator opens account {name} mode {mode}")
        if cash:
            cursor = self.driver.venue.state.treasury.deposit_cursor + 1
            self.speak(f"operator deposits {cash} to {name} at cursor {cursor}")
        return outcome

    def make_market(self, exclusive: str | None, name: str, rest: str | None) -> str:
        """Create a market, in the first event if it is one of an exclusive one, and open it."""
        event = "all" if exclusive else name
        if event not in self.names.events:
            self.speak(f"operator creates {exclusive or ''}event {event}")
        outcome = self.speak(f"operator creates market {name} in {event}{rest or ''}")
        self.speak(f"operator opens {name}") if not exclusive else None
        return outcome

    def begin_group(self) -> str:
        """Hold what follows back until the end of the group."""
        self.waiting, self.records = [], []
        return "ok"

    def end_group(self) -> str:
        """Apply the group and return its replies, then all that happened."""
        assert self.waiting is not None
        self.last = self.driver.apply_records(self.records)
        words = []
        for (speaker, said), reply in zip(self.waiting, self.last.replies, strict=True):
            words.append(self.tell(speaker, said, reply, Applied([], [])))
        self.waiting = None
        numbers = {number: name for name, number in self.names.accounts.items()}
        return ", ".join(words + Telling(numbers, 0, self.last).phrases())

    def again(self, name: str, sequence: str) -> str:
        """Say an old record again; the answer must be the first one."""
        record, first = self.said[self.session_of(name), int(sequence)]
        applied = self.driver.apply_records([record])
        assert not applied.events
        if applied.replies == [first]:
            return "the same reply"
        return f"rejected {applied.replies[0].code.name}"

    def log_in(self, name: str, window: str | None) -> str:
        """Open another session and speak in it from now on."""
        key = OPERATOR_KEY if name == "operator" else self.names.key(name)
        code, number = self.driver.try_session(key, int(window or 16))
        if code != Code.OK:
            return f"refused {code.name}"
        self.sessions[name] = number
        return f"session {number}"

    def holdings(self, name: str, market: str | None) -> str:
        """Say what an account has: cash, and shares of one market."""
        account = self.names.account(name)
        free, locked = self.driver.cash(account)
        parts = [f"{usdc(free)} USDC"] + ([f"{usdc(locked)} locked"] if locked else [])
        held = self.driver.shares(account, self.names.market(market))
        words = ("YES", "YES locked", "NO", "NO locked")
        parts += [f"{shares(lots)} {word}" for lots, word in zip(held, words, strict=True) if lots]
        return ", ".join(parts)

    def depth(self, market: str | None) -> str:
        """Say the depth, bids from the best down, then asks from the best up."""
        levels = self.driver.depth(self.names.market(market))
        words = [
            f"{Side(side).name.lower()} {price(at)} x {shares(lots)}"
            for (side, at), lots in levels.items()
        ]
        return ", ".join(words) or "empty"

    def fees(self) -> str:
        """Say all fees so far."""
        return usdc(self.driver.venue.state.treasury.fees)

    def count_schedules(self) -> str:
        """Say how many fee schedules there are."""
        return str(self.driver.venue.state.treasury.schedules)

    def sets(self, market: str | None) -> str:
        """Say how many complete sets a market, or its exclusive event, has outstanding."""
        record: Any = self.driver.venue.market(self.names.market(market))
        collateral = record.event.collateral if record.event.exclusive else record.collateral
        assert collateral % 10_000 == 0
        return shares(collateral // 10_000)

    def state_of(self, market: str) -> str:
        """Say a market's state, and its price once it has one."""
        record: Any = self.driver.venue.market(self.names.market(market))
        name = MarketState(record.state).name
        return f"{name} at {price(record.price)}" if record.is_settled else name

    def pass_time(self) -> str:
        """Apply a group without commands; say what sweeps did."""
        applied = self.driver.apply_records([])
        numbers = {number: name for name, number in self.names.accounts.items()}
        return ", ".join(Telling(numbers, 0, applied).phrases()) or "nothing"

    def set_clock(self, seconds: str) -> str:
        """Let the log's time be so many seconds; say what happened by itself."""
        stamp_ns = parse(seconds, TIME_DIGITS)
        assert stamp_ns >= self.driver.venue.stamp_ns, "time does not go back"
        applied = self.driver.apply_group(
            c.group([], stamp_ns, shard=self.driver.venue.genesis.shard)
        )
        numbers = {number: name for name, number in self.names.accounts.items()}
        return ", ".join(Telling(numbers, 0, applied).phrases()) or "nothing"

    def pending(self) -> str:
        """Say whether sweeps wait."""
        return "yes" if self.driver.venue.work_pending else "no"

    def revoked(self, name: str) -> str:
        """Say whether somebody's key is revoked."""
        key = self.driver.venue.key_by_public(self.names.key(name))
        assert key is not None
        return "revoked" if key.revoked else "valid"


QUESTIONS: list[tuple[re.Pattern[str], Callable[..., str]]] = [
    (re.compile(r"venue: (.*)"), Transcript.set_limits),
    (re.compile(r"group"), Transcript.begin_group),
    (re.compile(r"end"), Transcript.end_group),
    (re.compile(r"(\w+) repeats sequence (\d+)"), Transcript.again),
    (re.compile(r"(\w+) logs in(?: with window (\d+))?"), Transcript.log_in),
    (re.compile(r"(\w+) has(?: in (\w+))?"), Transcript.holdings),
    (re.compile(r"depth(?: of (\w+))?"), Transcript.depth),
    (re.compile(r"fees"), Transcript.fees),
    (re.compile(r"venue has schedules"), Transcript.count_schedules),
    (re.compile(r"sets(?: of (\w+))?"), Transcript.sets),
    (re.compile(r"state of (\w+)"), Transcript.state_of),
    (re.compile(r"an empty group"), Transcript.pass_time),
    (re.compile(r"at (\S+) seconds"), Transcript.set_clock),
    (re.compile(r"work pending"), Transcript.pending),
    (re.compile(r"(\w+)'s client is gone( before it spoke)?"), Transcript.lose),
    (re.compile(r"key of (\w+)"), Transcript.revoked),
    (re.compile(r"times of (\w+)"), times_of),
    (re.compile(r"clearing of (\w+)"), clearing_of),
    (re.compile(r"resolution of (\w+)"), resolution_of),
    (re.compile(r"pause of (venue|event|market|account)(?: (\w+))?"), pause_of),
]
