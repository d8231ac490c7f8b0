"""The hand that breaks things: applies what the schedule draws, up to three faults at once."""

import asyncio
from typing import Final

from chaos.real.cluster_nodes import UnfeltError, UnsuitableError
from chaos.real.diary import Diary
from chaos.real.node_process import NodeFailedError
from chaos.real.scene import Scene
from chaos.real.schedule import AT_ONCE_MOST, Drawn, Schedule

_RETRY_SECONDS: Final = 0.2
_LEADER_SECONDS: Final = 5.0
_HEAL_SECONDS: Final = 90.0
"""For a fault to begin and to be healed, besides how long it lasts, a rebuilt node included."""


async def inject(scene: Scene, schedule: Schedule, diary: Diary, seconds: float) -> None:
    """Break things for so long, and return when everything that was broken is healed."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    running: dict[asyncio.Task[bool], Drawn] = {}
    try:
        while (left := deadline - loop.time()) > 0 and not scene.cluster.failed:
            drawn = None
            if len(running) < AT_ONCE_MOST:
                drawn = schedule.draw(frozenset(one.kind.name for one in running.values()))
            if drawn is not None and drawn.alone:
                await asyncio.gather(*running)
                await scene.cluster.await_leader(_LEADER_SECONDS)
                if not await _apply(scene, drawn, diary):
                    schedule.put_back(drawn)
            elif drawn is not None:
                task = asyncio.create_task(_apply(scene, drawn, diary))
                running[task] = drawn
            pause = drawn.gap_seconds if drawn is not None else _RETRY_SECONDS
            await asyncio.sleep(min(pause, left))
            for task in [task for task in running if task.done()]:
                finished = running.pop(task)
                if not task.result():
                    schedule.put_back(finished)
        await asyncio.gather(*running)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _apply(scene: Scene, drawn: Drawn, diary: Diary) -> bool:
    """Apply one fault; return whether the scene had a place for it."""
    kind = drawn.kind
    began_ms = diary.now_ms()
    what = ""
    scene.at_work.add(drawn.number)
    try:
        async with (
            asyncio.timeout(drawn.seconds + _HEAL_SECONDS),
            kind.apply(scene, drawn.random) as what,
        ):
            await asyncio.sleep(drawn.seconds)
    except UnsuitableError:
        diary.unsuitable[kind.name] += 1
        return False
    except UnfeltError as error:
        diary.unfelt[kind.name] += 1
        diary.note(kind.lane, kind.name, f"not felt: {error}", began_ms, diary.now_ms())
        return True
    except TimeoutError:
        scene.cluster.failed = True
        diary.violate("what is broken heals", f"{kind.name} {what}: within {_HEAL_SECONDS:.0f} s")
    except NodeFailedError as error:
        scene.cluster.failed = True
        diary.violate("a node does what it is told", f"{kind.name}: {error}")
    finally:
        scene.at_work.discard(drawn.number)
    diary.faults[kind.name] += 1
    diary.note(kind.lane, kind.name, what, began_ms, diary.now_ms())
    return True
