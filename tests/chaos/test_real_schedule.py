"""The plan of a real run: what is in the catalogue, what is left out and why, what comes when."""

from collections import Counter

from chaos.real import faults
from chaos.real.abilities import Abilities
from chaos.real.catalogue import CATALOGUE, Kind
from chaos.real.schedule import Schedule

KINDS = tuple(CATALOGUE.values())


def drawn(seed: str, count: int) -> list[tuple[str, float, float, bool, float]]:
    """Draw so many faults."""
    schedule = Schedule(seed, KINDS)
    found = []
    for _ in range(count):
        one = schedule.draw()
        assert one is not None
        found.append((one.kind.name, one.seconds, one.gap_seconds, one.alone, one.random.random()))
    return found


def names_of(kinds: list[Kind]) -> list[str]:
    """Return their names."""
    return [kind.name for kind in kinds]


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


def test_a_fault_without_a_place_comes_again() -> None:
    """What did not suit the scene is drawn again before the next deck."""
    schedule = Schedule("5", KINDS)
    first = schedule.draw()
    assert first is not None
    schedule.put_back(first)

    soon = [schedule.draw() for _ in range(4)]
    assert first.kind.name in names_of([one.kind for one in soon if one is not None])
