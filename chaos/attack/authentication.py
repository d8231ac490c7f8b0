"""`attack authentication`: thousands of attempts to get in, and whether the node's books agree."""

import asyncio
import json
import random as randomness
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Final

import uvloop

from chaos.attack.attempts import Tally, make_all, make_in_sessions
from chaos.attack.knock import Knock
from chaos.attack.login_attempts import LOGIN_ATTEMPTS
from chaos.attack.options import AttackOptions
from chaos.attack.page_attempts import PAGE_ATTEMPTS
from chaos.attack.peer_attempts import INSIDER_ATTEMPTS, PEER_ATTEMPTS
from chaos.attack.session_attempts import (
    Sessions,
    foreign_account,
    operator_commands,
    session_attempts,
)
from chaos.attack.victim import Victim, victim
from chaos.invocation import invocation
from chaos.report.run_report import Figure, RunReport, Violation
from node.protocol import messages
from node.protocol.refusals import Refusal

COMMAND: Final = invocation("attack", "authentication")
_TRADERS: Final = 8
_IN_SESSION: Final = ("trader sends an operator's commands", "trader uses another's account")
_RARER: Final = 4
"""Insiders go one at a time and the page costs its node the lock: fewer of those."""
_SUPPRESSION_SECONDS: Final = 1.1
_KEPT: Final = ("sessions", "accounts", "events", "markets", "open_orders")


def authenticate(options: AttackOptions, report: RunReport, say: Callable[[str], None]) -> None:
    """Try to get in and add figures and findings to `report`."""
    tally = Tally()
    try:
        with victim(options.base_port, _TRADERS) as attacked:
            attacked.stop_third()
            attacked.find_leader()
            books = uvloop.run(_attack(attacked, options, say, tally))
    except Exception:
        _add_accepted(report, tally)  # Whatever else went wrong.
        raise
    _add(report, tally, books, options)


class Books:
    """What the nodes say about themselves before and after, and their logs."""

    def __init__(self, before: dict[int, dict[str, Any]]) -> None:
        """Begin with what they say `before`."""
        self.before = before
        self.after: dict[int, dict[str, Any]] = {}
        self.elapsed_seconds = 0.0
        self.logins_logged = 0
        self.peers_logged = 0
        self._seen: dict[int, int] = {}

    def mark_logs(self, attacked: Victim) -> None:
        """Count lines of the logs from here on."""
        for node in self.before:
            self._seen[node] = len(_log(attacked, node))

    def close(self, attacked: Victim) -> None:
        """Read all again."""
        self.after = attacked.counted()
        for node in self.before:
            for line in _log(attacked, node)[self._seen[node] :]:
                said = json.loads(line)
                if said["event"] == "login_refused":
                    self.logins_logged += 1 + said["suppressed"]
                elif said["event"] == "peer_refused":
                    self.peers_logged += 1

    def refusals(self) -> Counter[str]:
        """Return the refusals that all nodes have counted in between, by name."""
        total: Counter[str] = Counter()
        for node, before in self.before.items():
            total.update(Counter(self.after[node]["gateway"]["refusals"]))
            total.subtract(Counter(before["gateway"]["refusals"]))
        return total

    def rejections(self) -> list[Counter[str]]:
        """Return the rejections that each node has applied in between."""
        found = []
        for node, before in self.before.items():
            one = Counter(self.after[node]["venue"]["rejections"])
            one.subtract(Counter(before["venue"]["rejections"]))
            found.append(one)
        return found

    def changed(self) -> list[str]:
        """Return what of the venue is not as it was."""
        return [
            f"node {node}: {name} {before['venue'][name]} -> {self.after[node]['venue'][name]}"
            for node, before in self.before.items()
            for name in _KEPT
            if before["venue"][name] != self.after[node]["venue"][name]
        ]


def _log(attacked: Victim, node: int) -> list[bytes]:
    file = attacked.deployment.folder(node) / "log" / "node.jsonl"
    return file.read_bytes().splitlines()


async def _attack(
    attacked: Victim, options: AttackOptions, say: Callable[[str], None], tally: Tally
) -> Books:
    sessions = Sessions()
    await sessions.open(attacked)
    books = Books(attacked.counted())
    books.mark_logs(attacked)
    at_door = {**LOGIN_ATTEMPTS, **session_attempts(sessions), **PEER_ATTEMPTS}
    rarer = {**INSIDER_ATTEMPTS, **PAGE_ATTEMPTS}
    shares = len(at_door) + len(_IN_SESSION) + len(rarer) / _RARER
    each = int(options.attempts / shares) + 1
    started = time.monotonic()
    await make_all(attacked, at_door, each, options.seed, tally)
    say(f"{tally.count:,} attempts at the door: {len(tally.accepted)} accepted")
    for kind, run in zip(_IN_SESSION, (operator_commands, foreign_account), strict=True):
        in_turn = partial(run, attacked, sessions)
        await make_in_sessions(attacked, kind, in_turn, each, options.seed, tally)
    await make_all(attacked, rarer, max(1, each // _RARER), options.seed, tally)
    books.elapsed_seconds = time.monotonic() - started
    say(f"{tally.count:,} attempts in all: {len(tally.accepted)} accepted")
    # The log counts what it left out in its next line, of another second.
    await asyncio.sleep(_SUPPRESSION_SECONDS)
    for port in (attacked.leader, attacked.follower):
        await _last_line(attacked, port, tally, options.seed)
    await asyncio.to_thread(books.close, attacked)
    return books


async def _last_line(attacked: Victim, node: int, tally: Tally, seed: str) -> None:
    """Be refused once more at `node`, so that its log says how many lines were left out."""
    draw = randomness.Random(seed)
    async with await Knock.at(attacked.client_port(node)) as knock:
        key, other = draw.sample(attacked.traders, 2)
        knock.send(knock.login_frame(key, purpose=messages.READ, window=0, signer=other))
        tally.add("wrong key", await knock.answer())


def _add(report: RunReport, tally: Tally, books: Books, options: AttackOptions) -> None:
    for kind, answers in tally.kinds.items():
        for words, count in answers.items():
            report.checks[f"{kind}: {words}"] = count
    rate = tally.count / max(books.elapsed_seconds, 0.001)
    goal = min(options.attempts, 10_000)
    report.figures.append(
        Figure(
            "authentication bypassed",
            f"{len(tally.accepted)} of {tally.count:,} attempts of {len(tally.kinds)} kinds "
            f"({rate:,.0f} a second)",
            f"0 of at least {goal:,} of 12 kinds",
            not tally.accepted and tally.count >= goal and len(tally.kinds) >= 12,
            COMMAND,
        )
    )
    _add_accepted(report, tally)
    if tally.unmade:
        report.left_out["attempts without a login"] = f"{tally.unmade}: no node led for too long"
    changed = books.changed()
    report.violations += [
        Violation("authentication: nothing changes", one, COMMAND) for one in changed
    ]
    _add_books(report, tally, books)
    report.left_out["append-only audit log"] = (
        "the product has none yet; its counters and logs are compared with the attempts instead"
    )


def _add_accepted(report: RunReport, tally: Tally) -> None:
    report.violations += [
        Violation("authentication", words, COMMAND) for words in sorted(set(tally.accepted))
    ]


def _add_books(report: RunReport, tally: Tally, books: Books) -> None:
    received = Counter({Refusal(number).name: n for number, n in tally.refusals.items()})
    counted = books.refusals()
    missing = sum((received - counted).values())
    more = sum((counted - received).values())
    report.figures.append(
        Figure(
            "refusals counted by the nodes",
            f"{sum(counted.values()):,} counted, {sum(received.values()):,} received, "
            f"{tally.closed} connections closed without a word",
            "every one",
            missing == 0 and more <= tally.closed,
            COMMAND,
        )
    )
    rejected = books.rejections()
    report.figures.append(
        Figure(
            "rejections counted by every replica",
            ", ".join(f"{sum(one.values()):,}" for one in rejected)
            + f" counted, {sum(tally.rejections.values()):,} received",
            "every one, on each",
            all(+one == tally.rejections for one in rejected),
            COMMAND,
        )
    )
    report.figures.append(
        Figure(
            "refused logins and peers in the logs",
            f"{books.logins_logged:,} of {tally.logged:,} logins (written or counted as left out), "
            f"{books.peers_logged:,} of {tally.peer_logged:,} peers",
            "every one",
            books.logins_logged == tally.logged and books.peers_logged == tally.peer_logged,
            COMMAND,
        )
    )
