"""Nodes that end, by a fault or by themselves: who must answer for it, and which faults count."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from functools import wraps
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import NamedTuple, ParamSpec, cast

import pytest

from chaos.real.abilities import STRACE, Abilities
from chaos.real.belongings import Belongings
from chaos.real.casualties import CasualtyWatch
from chaos.real.catalogue import CATALOGUE, Breaking, Kind, kind
from chaos.real.cluster_nodes import ClusterNodes, UnfeltError
from chaos.real.diary import Diary
from chaos.real.faults import disks
from chaos.real.injection import inject
from chaos.real.node_process import FAIL_STOPPED, KILLED, NodeFailedError, NodeProcess
from chaos.real.scene import Scene
from chaos.real.schedule import Schedule
from chaos.real.site import Site
from cluster.deployment import Deployment
from cluster.status import NodeStatus

P = ParamSpec("P")


def played(test: Callable[P, Coroutine[None, None, None]]) -> Callable[P, None]:
    """Run a test in an event loop of its own."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


STATUS = SimpleNamespace(
    node=3, role="leader", ready=True, term=1, commit_index=0, applied_index=0, recovering=False
)


class Script(NamedTuple):
    """What one start of the node does, as Python, and whether it answers then."""

    code: str
    answers: bool = False


SERVE = Script(
    "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); "
    "print('it serves', flush=True); time.sleep(60)",
    answers=True,
)


def refuse(words: str, code: int) -> Script:
    """Return a start that says `words` and ends with `code`."""
    return Script(f"import sys; print({words!r}, file=sys.stderr); sys.exit({code})")


class ScriptedSite:
    """A site on which starts of the node go by their scripts, one after the other."""

    def __init__(self) -> None:
        """Begin without any."""
        self.scripts: list[Script] = []
        self._started: Script | None = None

    def command(self, host: int, words: list[str]) -> list[str]:
        """Return what the next start runs."""
        del host
        self._started = self.scripts.pop(0)
        return [words[0], "-c", self._started.code]

    async def ask(self, host: int, question: Callable[[], object]) -> NodeStatus | None:
        """Answer for the node."""
        del host, question
        assert self._started is not None
        return cast("NodeStatus", STATUS) if self._started.answers else None


class Stage(NamedTuple):
    """Three nodes, of which the third has processes."""

    site: ScriptedSite
    node: NodeProcess
    cluster: ClusterNodes
    scene: Scene
    diary: Diary

    async def served(self, *scripts: Script, first: Script = SERVE) -> None:
        """Start the node well; its later starts go by `scripts`."""
        self.site.scripts = [first, *scripts]
        await self.node.start()
        while self.node.last_words() != "it serves":
            await asyncio.sleep(0.01)

    def ended(self) -> list[str]:
        """Return what the watch has written down."""
        CasualtyWatch(self.cluster, self.diary).look()
        return [violation.what for violation in self.diary.violations]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Make the stage, and leave no process behind."""
    for folder in ("log", "journal"):
        (tmp_path / folder).mkdir()
    (tmp_path / "journal" / "segment-1").write_bytes(bytes(20_000))
    deployment = SimpleNamespace(folder=lambda _: tmp_path, member=lambda number: number)
    site, belongings = ScriptedSite(), Belongings()
    nodes = [
        NodeProcess(cast("Deployment", deployment), number, cast("Site", site), belongings)
        for number in (1, 2, 3)
    ]
    cluster = ClusterNodes(nodes)
    scene = cast(
        "Scene",
        SimpleNamespace(cluster=cluster, at_work=set(), belongings=belongings),
    )
    yield Stage(site, nodes[2], cluster, scene, Diary("again", 1))
    assert belongings.remove_all() == []


@played
async def test_a_node_that_ends_by_itself_is_a_violation_at_once(stage: Stage) -> None:
    """It is named, with its code and its last words, once; and nothing more is broken then."""
    await stage.served()
    watching = asyncio.create_task(CasualtyWatch(stage.cluster, stage.diary).watch())
    await stage.node.kill()
    while not stage.diary.violations:
        await asyncio.sleep(0.01)
    watching.cancel()

    assert stage.ended() == [f"node 3 ended with code {KILLED}, with no fault on it: it serves"]
    assert stage.cluster.failed


@played
async def test_a_fault_answers_for_the_ends_that_it_declares_only(stage: Stage) -> None:
    """Killed where a kill was declared is well; the next process, which fails, is not."""
    await stage.served(refuse("InvariantError: oh", FAIL_STOPPED))
    with stage.cluster.crippling(3, ends=(KILLED,)):
        await stage.node.kill()
        assert stage.ended() == []
        stage.node.spawn()
        await stage.node.ended(30.0)

    assert stage.ended() == [
        "node 3 ended with code 70, which the fault on it does not cause: InvariantError: oh"
    ]


@played
async def test_what_ended_before_a_fault_is_not_its_doing(stage: Stage) -> None:
    """A fault that comes to a node just after its end does not cover it."""
    await stage.served()
    await stage.node.kill()
    with stage.cluster.crippling(3, ends=(KILLED,)):
        pass

    assert len(stage.ended()) == 1


async def damaged(stage: Stage, refusal: Script) -> None:
    """Lose the journal of the node, which was stopped, and start it."""
    await stage.served(refusal, refuse("it was to be rebuilt", 5))
    async with CATALOGUE["journal-lost"].apply(stage.scene, Random(1)):
        said = stage.node.folder / "log" / "stderr.log"
        said.write_text(said.read_text() + "JournalLostError: of an earlier damage\n")


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (refuse("JournalLostError: the journal is lost", 1), "ended with code 1: JournalLost"),
        (refuse("KeyError: 7", FAIL_STOPPED), "ended with code 70: KeyError: 7"),
        (Script("import sys; sys.exit(70)"), "ended with code 70: it said nothing"),
        (SERVE, "runs although all files of the journal were lost"),
    ],
    ids=["another code", "other words", "old words", "no refusal"],
)
@played
async def test_only_code_70_with_fresh_words_is_a_refusal(
    stage: Stage, refusal: Script, said: str
) -> None:
    """What the log said before the damage is no answer to it."""
    with pytest.raises(NodeFailedError, match=said):
        await damaged(stage, refusal)


@played
async def test_a_node_that_refuses_damage_is_rebuilt(stage: Stage) -> None:
    """Code 70 and the right words lead to the next start."""
    refusal = refuse("JournalLostError: the journal is lost", FAIL_STOPPED)
    with pytest.raises(NodeFailedError, match="it was to be rebuilt"):
        await damaged(stage, refusal)


def only(breaking: Breaking) -> Kind:
    """Return a kind that is in no catalogue."""
    kind("trial", "nodes", (0.0, 0.0))(breaking)
    return CATALOGUE.pop("trial")


async def injected(stage: Stage, breaking: Breaking) -> None:
    """Apply one kind for a while."""
    await inject(stage.scene, Schedule("1", [only(breaking)]), stage.diary, 0.5)


@played
async def test_a_fault_that_was_not_felt_is_not_counted_as_one(stage: Stage) -> None:
    """It is counted apart, with what was not felt on the timeline."""

    async def unfelt(scene: Scene, random: Random) -> AsyncIterator[str]:
        """Strike nothing."""
        del scene, random
        yield "something"
        raise UnfeltError("nothing came")

    await injected(stage, unfelt)

    assert stage.diary.unfelt["trial"] > 0
    assert not stage.diary.faults
    assert {moment.text for moment in stage.diary.moments} == {"not felt: nothing came"}


@played
async def test_a_fault_that_struck_is_counted(stage: Stage) -> None:
    """Nobody has to say that it was felt."""

    async def felt(scene: Scene, random: Random) -> AsyncIterator[str]:
        """Strike something."""
        del scene, random
        yield "something"

    await injected(stage, felt)

    assert stage.diary.faults["trial"] > 0
    assert not stage.diary.unfelt


@played
async def test_a_limit_that_no_file_reaches_is_not_felt(stage: Stage) -> None:
    """A node that writes nothing never meets the limit of its files; it is left to run."""
    await stage.served()
    with pytest.raises(UnfeltError, match="no file reached"):
        async with CATALOGUE["file-limit"].apply(stage.scene, Random(1)):
            pass

    assert stage.node.pid
    assert stage.ended() == []


@played
async def test_a_limit_that_ends_the_node_is_felt(stage: Stage) -> None:
    """It ends with code 70, which the fault declares, and is started again."""
    await stage.served(SERVE, first=Script(SERVE.code.replace("exit(0)", "exit(70)"), answers=True))
    async with CATALOGUE["file-limit"].apply(stage.scene, Random(1)):
        await stage.node.stop()

    assert stage.node.pid
    assert stage.ended() == []


@played
async def test_a_call_that_never_comes_is_not_felt(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that never calls fdatasync is not killed at its n-th call, nor by anybody else."""
    lacking = Abilities().lack((STRACE,))
    if lacking:
        pytest.skip(f"no system call can be tampered with: {lacking}")
    monkeypatch.setattr(disks, "_INJECTION_SECONDS", 0.1)
    await stage.served()
    with pytest.raises(UnfeltError, match="which did not come"):
        async with CATALOGUE["kill-at-fsync"].apply(stage.scene, Random(1)):
            pass
    assert stage.node.pid
