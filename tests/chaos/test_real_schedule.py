"""The plan of a real run: what is in the catalogue, what is left out and why, what comes when."""

from collections import Counter
from types import SimpleNamespace
from typing import cast

import pytest

from chaos.real import faults
from chaos.real.abilities import Abilities
from chaos.real.catalogue import CATALOGUE
from chaos.real.cluster_nodes import ClusterNodes, UnsuitableError
from chaos.real.node_process import NodeFailedError, NodeProcess
from chaos.real.schedule import Drawn, Schedule

KINDS = tuple(CATALOGUE.values())
ONCE = tuple(kind for kind in KINDS if kind.name != "kill-leader")
"""Those of which a deck has one card."""


def drawn(seed: str, count: int) -> list[tuple[str, float, float, bool, float]]:
    """Draw so many faults."""
    schedule = Schedule(seed, KINDS)
    found = []
    for _ in range(count):
        one = schedule.draw()
        assert one is not None
        found.append((one.kind.name, one.seconds, one.gap_seconds, one.alone, one.random.random()))
    return found


def next_of(schedule: Schedule) -> Drawn:
    """Draw the next fault."""
    found = schedule.draw()
    assert found is not None
    return found


def test_the_catalogue_is_broad() -> None:
    """There are far more than 25 kinds, each with a promise, in every lane."""
    assert set(faults.__all__) >= {"clients", "damage", "disks", "network", "processes"}
    assert len(KINDS) >= 45
    assert {kind.lane for kind in KINDS} == {"nodes", "network", "disk", "clients"}
    assert all(kind.promise.endswith(".") for kind in KINDS)


def test_without_root_much_is_left_and_the_rest_has_reasons() -> None:
    """A run without root has at least 20 kinds; each that it lacks says why."""
    abilities = Abilities(rootless=True)
    lacking = {kind.name: abilities.lack(kind.needs) for kind in KINDS}

    assert sum(not why for why in lacking.values()) >= 20
    assert lacking["partition-minority"].startswith(("asked to run without root", "needs root"))
    assert lacking["kill-leader"] == ""


def test_every_kind_comes_before_any_comes_again() -> None:
    """The first deck has each kind once, and those that are timed more often."""
    schedule = Schedule("7", KINDS)
    deck = [schedule.draw() for _ in range(len(KINDS) + 2)]

    counted = Counter(one.kind.name for one in deck if one is not None)
    assert set(counted) == set(CATALOGUE)
    assert counted.pop("kill-leader") == 3
    assert set(counted.values()) == {1}


def test_a_seed_tries_the_same_again() -> None:
    """One seed draws the same kinds, lengths, gaps and choices; another one others."""
    assert drawn("11", 120) == drawn("11", 120)
    assert drawn("11", 120) != drawn("12", 120)


def test_a_kind_at_work_is_not_drawn_and_comes_later() -> None:
    """What overlaps is of different kinds; when all are at work, nothing is drawn."""
    schedule = Schedule("3", KINDS[:2])
    first = schedule.draw()
    assert first is not None
    second = schedule.draw(frozenset({first.kind.name}))
    assert second is not None
    assert second.kind.name != first.kind.name
    assert schedule.draw(frozenset({first.kind.name, second.kind.name})) is None


def test_a_fault_without_a_place_comes_again_when_all_others_had_their_turn() -> None:
    """What did not suit the scene is drawn last of its deck."""
    schedule = Schedule("5", ONCE[:5])
    deck = [next_of(schedule) for _ in range(5)]
    schedule = Schedule("5", ONCE[:5])
    schedule.put_back(next_of(schedule))

    names = [next_of(schedule).kind.name for _ in range(5)]
    assert names == [*(one.kind.name for one in deck[1:]), deck[0].kind.name]


def test_a_fault_that_never_suits_is_not_drawn_for_ever() -> None:
    """A kind has two chances a deck: the others come as often as if it had not been there."""
    schedule = Schedule("5", ONCE[:4])
    never = ONCE[0].name
    counted: Counter[str] = Counter()
    for _ in range(5 * 10):
        one = next_of(schedule)
        counted[one.kind.name] += 1
        if one.kind.name == never:
            schedule.put_back(one)

    assert counted.pop(never) == 20
    assert set(counted.values()) == {10}


def test_a_disk_that_could_not_be_damaged_is_free_for_the_next_damage() -> None:
    """The lock of a fault that found no place is released; that of one that failed is not."""
    cluster = ClusterNodes(
        cast("NodeProcess", SimpleNamespace(number=number, pid=0)) for number in (1, 2, 3)
    )
    (number,) = cluster.damageable

    def damage(error: Exception) -> None:
        with pytest.raises(type(error)), cluster.damaging(number):
            raise error

    damage(UnsuitableError("nothing to damage"))
    damage(NodeFailedError("not rebuilt"))
    with pytest.raises(UnsuitableError), cluster.damaging(number):
        pass
