"""Whatever is recorded and whenever the power goes, recovery finds what was synced."""

from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from chaos.simulation.disk import PowerLostError, SimulatedDisk
from node.consensus.journal import Journal

DIRECTORY = Path("/journal")
State = tuple[list[tuple[bytes, int, int]], int, int, int]


def state(journal: Journal) -> State:
    """Return what must be durable after a sync."""
    return (list(journal.entries), journal.base_index, journal.term, journal.vote)


def step(journal: Journal, random: Random) -> None:
    """Record something."""
    choice = random.random()
    last = journal.last_index
    if choice < 0.6:
        journal.append(random.randbytes(random.choice((1, 5, 200))), last + 1, journal.term)
    elif choice < 0.7 and len(journal.entries) > 3:
        journal.truncate_from(last - random.randint(0, 1))
    elif choice < 0.8 and len(journal.entries) > 3:
        journal.drop_before(random.randint(journal.base_index, last - 1))
    elif choice < 0.95:
        journal.save_vote(journal.term + 1, random.randint(0, 3))
    elif journal.entries:
        journal.reset(last + random.randint(1, 5), journal.term)


@given(seed=st.integers(0, 1 << 32), operations=st.integers(0, 200))
def test_a_power_loss_at_any_operation_keeps_what_was_synced(seed: int, operations: int) -> None:
    """Recovery yields the state of the last sync, or one on the way to the next."""
    random = Random(seed)
    disk = SimulatedDisk(random)
    segment_bytes = random.choice((200, 1000, 1 << 20))
    journal = Journal(
        DIRECTORY,
        files=disk,
        segment_bytes=segment_bytes,
        nonce=lambda: random.getrandbits(32),
    )
    synced = state(journal)
    path = [synced]
    disk.operations_left = operations
    try:
        while True:
            path = [synced]
            for _ in range(random.randint(1, 6)):
                step(journal, random)
                path.append(state(journal))
            journal.sync()
            synced = state(journal)
    except PowerLostError:
        pass
    disk.lose_power()

    again = Journal(DIRECTORY, files=disk, segment_bytes=segment_bytes)

    assert state(again) in path
    again.append(b"goes on", again.last_index + 1, again.term)
    again.sync()
    disk.lose_power()
    assert state(Journal(DIRECTORY, files=disk)) == state(again)
