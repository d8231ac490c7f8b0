"""The leader's stamps: steady whatever wall clocks do, close to the quorum's in the long run."""

import pytest

from node.consensus.leader_clock import LeaderClock
from node.consensus.log_group import build_group, group_stamp_ns

SECOND = 1_000_000_000
NOON = 1_700_000_000 * SECOND
DAY = 86_400 * SECOND


class Hands:
    """Clocks moved by hand."""

    def __init__(self) -> None:
        """Noon."""
        self.wall = NOON
        self.monotonic = 5 * SECOND
        self.clock = LeaderClock(lambda: self.wall, lambda: self.monotonic, 3)

    def pass_time(self, ns: int, peers: dict[int, int] | None = None) -> None:
        """Let time pass and hear peers at offsets from the true time."""
        self.wall += ns
        self.monotonic += ns
        for peer, offset in (peers or {}).items():
            self.clock.hear_peer(peer, NOON + self.monotonic - 5 * SECOND + offset)


def test_stamps_follow_the_clock_while_all_is_well() -> None:
    """A stamp is the time, to the nanosecond, when all clocks agree."""
    hands = Hands()
    assert hands.clock.stamp() == NOON
    hands.pass_time(SECOND, {2: 0, 3: 0})
    assert hands.clock.stamp() == NOON + SECOND


@pytest.mark.parametrize("jump", [DAY, -DAY, 3 * SECOND])
def test_a_jump_of_the_wall_clock_never_jumps_the_stamp(jump: int) -> None:
    """Time goes on at most a sixteenth faster or slower than it passes."""
    hands = Hands()
    before = hands.clock.stamp()
    hands.wall += jump
    for _ in range(50):
        hands.pass_time(SECOND // 10)
        stamp = hands.clock.stamp()
        assert 0 < stamp - before <= SECOND // 10 * 17 // 16
        before = stamp


def test_stamps_are_drawn_to_the_median_of_the_quorum() -> None:
    """A leader that is 0.3 s ahead comes back to the others within seconds."""
    hands = Hands()
    hands.wall += 300_000_000
    stamp = hands.clock.stamp()
    for _ in range(100):
        hands.pass_time(SECOND // 10, {2: 0, 3: 0})
        stamp = hands.clock.stamp()
    assert abs(stamp - (NOON + 10 * SECOND)) <= 1_000_000


def test_a_follower_goes_on_where_the_leader_was() -> None:
    """Taking over, the stamp is the old leader's plus what passed since its last message."""
    hands = Hands()
    hands.clock.hear_leader(NOON - 7 * SECOND)
    hands.pass_time(SECOND)
    stamp = hands.clock.stamp()
    assert NOON - 6 * SECOND <= stamp <= NOON - 6 * SECOND + SECOND // 16


def test_a_stamp_is_never_below_one_in_the_log() -> None:
    """Also when every clock went back while the process was down."""
    hands = Hands()
    hands.clock.not_before(NOON + DAY)
    assert hands.clock.stamp() == NOON + DAY
    hands.pass_time(SECOND)
    assert hands.clock.stamp() >= NOON + DAY


def test_time_goes_on_behind_a_log_that_is_ahead() -> None:
    """It does not stand still until the clocks have caught up: that could take a day."""
    hands = Hands()
    hands.clock.not_before(NOON + DAY)
    before = hands.clock.stamp()
    hands.pass_time(SECOND)
    assert SECOND * 15 // 16 <= hands.clock.stamp() - before <= SECOND * 17 // 16


@pytest.mark.parametrize("offset", [DAY, -DAY])
def test_of_two_clocks_the_one_that_is_wrong_does_not_move_the_log(offset: int) -> None:
    """A new process between a right clock and one that is a day off goes by the log."""
    hands = Hands()
    hands.clock.not_before(NOON - SECOND)
    hands.clock.hear_peer(2, NOON + offset)
    assert NOON - SECOND <= hands.clock.stamp() <= NOON


def test_a_new_process_does_not_lead_by_its_own_clock_alone() -> None:
    """It waits for the clocks of a quorum, or for a leader."""
    hands = Hands()
    assert not hands.clock.trusted
    hands.clock.hear_leader(NOON)
    assert hands.clock.trusted
    alone = LeaderClock(lambda: NOON, lambda: SECOND, 1)
    assert alone.trusted


@pytest.mark.parametrize(
    ("peers", "trusted"),
    [
        ({2: 0, 3: 0}, True),
        ({2: 2 * SECOND, 3: 2 * SECOND}, False),
        ({2: -SECOND, 3: -SECOND}, False),
        ({2: 2 * SECOND, 3: 0}, True),
        ({2: 2 * SECOND, 3: -2 * SECOND}, True),
        ({2: 2 * SECOND}, True),
    ],
)
def test_only_a_clock_off_the_median_is_distrusted(*, peers: dict[int, int], trusted: bool) -> None:
    """The node in the middle can always lead; of two that disagree neither is blamed."""
    hands = Hands()
    hands.pass_time(SECOND, peers)
    assert hands.clock.trusted is trusted


def test_a_wall_clock_that_jumps_is_distrusted_at_once() -> None:
    """The peers' clocks are kept against the monotonic one, not against ours."""
    hands = Hands()
    hands.pass_time(SECOND, {2: 0, 3: 0})
    assert hands.clock.trusted
    hands.wall += DAY
    assert not hands.clock.trusted


def test_a_peer_not_heard_lately_does_not_count() -> None:
    """Its clock may have been set since."""
    hands = Hands()
    hands.clock.hear_leader(NOON)
    hands.pass_time(SECOND, {2: 2 * SECOND, 3: 2 * SECOND})
    hands.pass_time(3 * SECOND)
    assert hands.clock.trusted


def test_a_group_carries_its_stamp_and_lengths() -> None:
    """The header is the one that the engine reads; the trailer is outside the length."""
    group = build_group([b"r" * 40, b"s" * 8], 2, NOON, shard=3, trailer=b"trace")
    assert len(group) == 24 + 48 + 5
    assert int.from_bytes(group[:4], "little") == 72
    assert group_stamp_ns(group) == NOON
    with pytest.raises(ValueError, match="at most"):
        build_group([bytes(8 << 20)], 1, NOON)
