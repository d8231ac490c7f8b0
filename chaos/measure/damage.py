"""Damage at rest: hundreds of injuries to a node's files, each of which must be accounted for.

The node is one of three; the others run. It is stopped, or killed under load, and its folder kept.
For each case the folder is put back, hurt in one place, and the product itself is started on it. It
must refuse with a typed error, or start and come to the digest of its peers.
"""

import shutil
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Final

import uvloop

from chaos.disks.damage import Damage, DamageKind, NothingToDamageError, Part, damage_node
from chaos.measure.aimed_damage import (
    CLUSTER_KEY,
    GENESIS,
    IDENTITY_SEAL,
    LOCK,
    cut_between_records,
    damage_file,
)
from chaos.measure.arena import KEEP_JOURNAL, UnusableError, arena, await_caught_up, set_limit
from chaos.measure.damage_trial import STARTED, Bench, Ending, Trial, contents, restore
from chaos.measure.effort import Effort
from chaos.measure.trader import Trader
from chaos.measure.traffic import audit, under_load
from cluster.deployment import Deployment
from cluster.processes import await_stopped, signal_node, start_node, stop_nodes
from node.domain.limits import Limit

NODE: Final = 3
RATE: Final = 4_000
_SETTINGS: Final = "journal_segment_bytes = 131072\n"
_CUT_JOURNAL: Final = "journal_margin_bytes = 131072\n"
_CHECKPOINT_BYTES: Final = 262_144
_TRADE_SECONDS: Final = 1.5
_REBUILD_EVERY: Final = 12
_INSPECT_EVERY: Final = 4
_YOUNG: Final = "no snapshot yet"
_STOPPED: Final = "stopped"
_KILLED: Final = "killed"
_AIMED_SHARE: Final = 4
"""One case in so many is aimed; the others are drawn."""


def measure(effort: Effort) -> None:
    """Damage a node as often as wanted, and account for every case."""
    times = effort.times(300, 30)
    with (
        arena(settings=KEEP_JOURNAL + _SETTINGS, started=False) as deployment,
        TemporaryDirectory(prefix="quorumbook-measure-") as scratch,
    ):
        _cut_own_journal(deployment)
        for member in deployment.members:
            start_node(deployment, member.number)
        pristine, traders = _prepare(deployment, Path(scratch), effort)
        effort.say(f"{times} cases of damage to node {NODE}")
        trials = list(_try_all(effort, deployment, pristine, times))
        restore(pristine[_STOPPED], deployment.folder(NODE))
        start_node(deployment, NODE)
        _report(effort, trials)
        audit(effort, deployment, traders)


def _cut_own_journal(deployment: Deployment) -> None:
    """Let the node that is hurt cut its journal behind a snapshot; its peers keep theirs."""
    file = deployment.config_file(NODE)
    text = file.read_text()
    kept = KEEP_JOURNAL.splitlines()[1]
    assert kept in text
    file.write_text(text.replace(kept + "\n", _CUT_JOURNAL))


def _prepare(
    deployment: Deployment, scratch: Path, effort: Effort
) -> tuple[dict[str, Path], list[Trader]]:
    """Trade, and keep the node's folder from three moments of its life."""
    pristine = {name: scratch / name.replace(" ", "-") for name in (_YOUNG, _STOPPED, _KILLED)}
    folder = deployment.folder(NODE)

    def young(_traders: Sequence[Trader]) -> None:
        effort.wait(_TRADE_SECONDS / 3)
        stop_nodes(deployment, [NODE])
        shutil.copytree(folder, pristine[_YOUNG])
        start_node(deployment, NODE)
        await_caught_up(deployment)

    def old(_traders: Sequence[Trader]) -> None:
        effort.wait(_TRADE_SECONDS)
        stop_nodes(deployment, [NODE])
        shutil.copytree(folder, pristine[_STOPPED])
        start_node(deployment, NODE)
        await_caught_up(deployment)
        effort.wait(_TRADE_SECONDS)
        signal_node(deployment, NODE, signal.SIGKILL)
        await_stopped(deployment, [NODE])
        shutil.copytree(folder, pristine[_KILLED])

    _, first = under_load(effort, deployment, RATE, young)
    uvloop.run(set_limit(deployment, Limit.CHECKPOINT_BYTES, _CHECKPOINT_BYTES))
    _, second = under_load(effort, deployment, RATE, old)
    return pristine, first + second


def _try_all(
    effort: Effort, deployment: Deployment, pristine: dict[str, Path], times: int
) -> Iterator[Trial]:
    random = Random(effort.seed)
    bench = Bench(deployment, NODE)
    folder = deployment.folder(NODE)
    promised = {name: contents(path) for name, path in pristine.items()}
    refused = started = 0
    for number in range(times):
        variant = random.choice(list(pristine))
        restore(pristine[variant], folder)
        damage = _hurt(folder, random, number)
        trial = bench.attempt(damage, variant, promised[variant])
        effort.count(trial.fault)
        effort.checked("damage at rest is accounted for")
        if not trial.accounted:
            effort.violation("damage at rest is never silent", _tell(trial))
        if trial.ending in STARTED:
            started += 1
            if started % _INSPECT_EVERY == 1:
                _inspect(effort, folder, trial)
        refused += trial.ending is Ending.REFUSED
        if trial.ending is Ending.REFUSED and refused % _REBUILD_EVERY == 1:
            _rebuild(effort, bench, damage)
        if number % 25 == 24:
            effort.say(f"{number + 1} of {times} cases")
        yield trial


def _hurt(folder: Path, random: Random, number: int) -> Damage:
    if number % _AIMED_SHARE == 0:
        name = random.choice([GENESIS, CLUSTER_KEY, IDENTITY_SEAL, LOCK, ""])
        if not name:
            return cut_between_records(folder, random)
        return damage_file(folder, name, random.choice(list(DamageKind)), random)
    part = random.choice(list(Part))
    try:
        return damage_node(folder, random, part=part)
    except NothingToDamageError:
        return damage_node(folder, random, part=Part.JOURNAL)


def _rebuild(effort: Effort, bench: Bench, damage: Damage) -> None:
    """Have a node that refused to start rebuilt from its peers, as operators are told to."""
    if damage.file.name in {GENESIS, CLUSTER_KEY}:
        return  # To be put back from another node.
    trouble = bench.rebuild()
    effort.checked("a refused node is rebuilt from its peers")
    if trouble:
        effort.violation("a refused node is rebuilt from its peers", f"{damage.said}: {trouble}")


def _inspect(effort: Effort, folder: Path, trial: Trial) -> None:
    """Replay what the node has on disk after its start: nothing in it may contradict the rest."""
    from node.audit.verify import verify

    effort.checked("a node that started is sound on disk")
    for finding in verify([folder]).all_findings():
        effort.violation("a node that started is sound on disk", f"{_tell(trial)}: {finding}")


def _tell(trial: Trial) -> str:
    damage = trial.damage
    return (
        f"{damage.said} ({trial.variant}): owed {damage.duty} since {damage.why}; "
        f"{trial.ending} {trial.said}".rstrip()
    )


def _report(effort: Effort, trials: Sequence[Trial]) -> None:
    if not trials:
        raise UnusableError("no damage was tried")
    endings = Counter(str(trial.ending) for trial in trials)
    errors = Counter(trial.said for trial in trials if trial.ending is Ending.REFUSED)
    accounted = sum(trial.accounted for trial in trials)
    for kind, count in sorted(errors.items()):
        effort.say(f"{count} refused with {kind}")
    said = "; ".join(f"{count} {ending}" for ending, count in endings.most_common())
    effort.figure(
        "damage at rest accounted for",
        f"{accounted} of {len(trials)}, {accounted / len(trials):.0%} ({said})",
        "100%",
        met=accounted == len(trials),
    )
