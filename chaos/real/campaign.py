"""A run: rounds until the time is over, each judged before the next begins."""

import asyncio
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from chaos.real.abilities import Abilities
from chaos.real.battle import Round, RoundFailedError
from chaos.real.belongings import Belongings, Home
from chaos.real.catalogue import Kind
from chaos.real.diary import Diary
from chaos.real.tool import ToolFailedError
from chaos.real.trading import TradingFailedError
from chaos.real.verdict import failovers_ms, judge_round
from chaos.report.failure import failures_told
from chaos.report.run_report import Operations
from chaos.unwinding import at_first_signal

ROUND_SECONDS: Final = 110.0
_KNOWN: Final = (RoundFailedError, TradingFailedError, ToolFailedError)
"""Errors that say all there is to say: the machine does not let a cluster run."""
_LEAST_SECONDS: Final = 20.0
"""A round shorter than this is not worth its start."""


@dataclass(frozen=True)
class Campaign:
    """What is asked of a run."""

    minutes: float
    nodes: int
    seed: int
    rate: int
    """Commands a second that clients try to send."""
    keep: Path | None
    """Where to keep every round's folder; None: only that of a round with a violation."""


@dataclass
class Course:
    """How a run goes, and what it has come to."""

    campaign: Campaign
    kinds: tuple[Kind, ...]
    abilities: Abilities
    belongings: Belongings
    diary: Diary
    say: Callable[[str], None]
    operations: Operations = field(default_factory=Operations)
    failovers_ms: list[float] = field(default_factory=list)
    """Of leaders that were killed while nothing else was broken."""
    troubled_failovers_ms: list[float] = field(default_factory=list)
    """Of leaders that were killed while other faults were at work."""
    recoveries_ms: list[float] = field(default_factory=list)
    rounds: int = 0
    """Begun."""
    judged: int = 0
    """Of those, played to the end and judged."""
    looks: int = 0
    checks: dict[str, int] = field(default_factory=dict)
    """How often each invariant was checked."""
    interrupted: bool = False
    failed: bool = False
    """Whether an error ended it: what is here was judged before that."""

    def fail(self, invariant: str, what: str) -> None:
        """Write down the error that ends the run."""
        self.failed = True
        self.diary.violate(invariant, what)


def run_course(course: Course) -> None:
    """Play rounds until the time is over or a signal comes, and remove everything that was made.

    An error ends the run and is a violation: the course holds all that was judged before.
    """
    try:
        with failures_told(course.fail, *_KNOWN):
            asyncio.run(_until_signalled(course))
    finally:
        at_first_signal(lambda: None)  # None of them cuts short what removes everything.
        for failure in course.belongings.remove_all():
            course.diary.violate("everything that a run makes is removed", failure)


async def _until_signalled(course: Course) -> None:
    playing = asyncio.create_task(_play(course))
    loop = asyncio.get_running_loop()
    at_first_signal(lambda: loop.call_soon_threadsafe(playing.cancel))
    try:
        await playing
    except asyncio.CancelledError:
        course.interrupted = True


async def _play(course: Course) -> None:
    campaign = course.campaign
    home = Home(course.belongings)
    loop = asyncio.get_running_loop()
    deadline = loop.time() + campaign.minutes * 60
    while course.rounds == 0 or (not course.failed and deadline - loop.time() > _LEAST_SECONDS):
        course.rounds += 1
        ticket = course.belongings.newest
        round_ = Round(
            home.path / f"round-{course.rounds}",
            f"{campaign.seed}/{course.rounds}",
            campaign.nodes,
            campaign.rate,
            course.abilities,
            course.belongings,
            course.diary,
        )
        before = len(course.diary.violations)
        left = deadline - loop.time()
        try:
            with failures_told(course.fail, *_KNOWN):
                await round_.play(course.kinds, min(ROUND_SECONDS, max(1.0, left)))
                await asyncio.to_thread(_judge, course, round_)
        finally:
            _tidy(course, round_, ticket, violated=len(course.diary.violations) > before)


def _judge(course: Course, round_: Round) -> None:
    recorded = round_.trading.recordings
    began_ms = course.diary.now_ms()
    lost = round_.trading.lost
    judgement = judge_round(round_.folders, recorded, round_.folder, course.diary, lost)
    course.diary.note("verdict", "verdict", "", began_ms, course.diary.now_ms())
    total, found = course.operations, judgement.operations
    for name in Operations.__struct_fields__:
        setattr(total, name, getattr(total, name) + getattr(found, name))
    kills = round_.scene.leader_kills_ns
    course.failovers_ms += failovers_ms(recorded, [at for at, alone in kills if alone])
    course.troubled_failovers_ms += failovers_ms(recorded, [at for at, alone in kills if not alone])
    course.recoveries_ms += round_.cluster.recoveries_ms
    for invariant, count in judgement.checks.items():
        course.checks[invariant] = course.checks.get(invariant, 0) + count
    course.looks += round_.looks
    course.judged += 1
    course.say(
        f"round {course.rounds}: {found.acknowledged + found.rejected:,} acknowledged, "
        f"{found.unknown:,} unknown, lost {found.lost}, duplicated {found.duplicated}, "
        f"altered {found.altered}, diverged {found.diverged}; so far "
        f"{sum(course.diary.faults.values())} faults of {len(course.diary.faults)} kinds, "
        f"{len(course.diary.violations)} violations"
    )


def _tidy(course: Course, round_: Round, ticket: int, *, violated: bool) -> None:
    """Remove what the round made; keep its folder if that was asked for or says something."""
    keep = course.campaign.keep
    if keep is None and violated:
        keep = Path(tempfile.mkdtemp(prefix=f"quorumbook-chaos-seed-{course.campaign.seed}-"))
    if keep is not None:
        round_.unpack()
    for failure in course.belongings.remove_all(down_to=ticket):
        course.diary.violate("everything that a run makes is removed", failure)
    for image in round_.folder.glob("*.img"):
        image.unlink()
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        target = keep / round_.folder.name
        shutil.move(round_.folder, target)
        course.say(f"kept {target}")
    else:
        shutil.rmtree(round_.folder)
