"""The handshake table, the versions and the login statement."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.protocol import handshake
from node.protocol.handshake import TRANSITIONS, Handshake, State, Step
from node.protocol.login import LOGIN_DOMAIN, LOGIN_STATEMENT_SIZE, login_statement
from node.protocol.versions import PROTOCOL_VERSION, choose_version, is_spoken

ALL_STEPS = [(state, step) for state in State for step in Step]


def at(state: int) -> Handshake:
    """Return a handshake in `state`."""
    made = Handshake()
    made.state = state
    return made


@pytest.mark.parametrize(("state", "step"), ALL_STEPS)
def test_an_illegal_step_is_refused_and_changes_nothing(state: State, step: Step) -> None:
    """What the table has moves the state; what it has not leaves the state as it was."""
    one = at(state)
    target = TRANSITIONS.get((state, step))
    assert one.allows(step) == (target is not None)
    assert one.take(step) == (target is not None)
    assert one.state == (state if target is None else target)


def test_nothing_leaves_closed() -> None:
    """A closed connection stays closed."""
    assert {to for (state, _), to in TRANSITIONS.items() if state == State.CLOSED} == {State.CLOSED}


def test_every_state_can_be_reached_and_left() -> None:
    """From CONNECTED every state is reachable, and from every state CLOSED is."""
    reached = {int(State.CONNECTED)}
    for _ in State:
        reached |= {to for (state, _), to in TRANSITIONS.items() if state in reached}
    assert reached == set(State)
    for state in State:
        assert TRANSITIONS[state, Step.CONNECTION_LOST] == State.CLOSED


@given(st.lists(st.sampled_from(list(Step)), max_size=30))
def test_commands_only_pass_after_a_session(steps: list[Step]) -> None:
    """However steps come.

    A command is legal only when a session was opened or resumed and not ended since.
    """
    one = Handshake()
    trading = False
    for step in steps:
        taken = one.take(step)
        if taken and step in {Step.SESSION_OPENED, Step.SESSION_RESUMED}:
            trading = True
        if one.state == State.CLOSED:
            trading = False
        assert one.allows(handshake.COMMAND_RECEIVED) == trading


def test_a_second_login_is_illegal_once_logged_in() -> None:
    """A connection logs in once."""
    for state in (State.AUTHENTICATING, State.OPENING, State.TRADING, State.READING):
        assert not at(state).allows(Step.LOGIN_RECEIVED)


def test_the_newest_common_version_is_chosen() -> None:
    """A client picks the newest version that both sides speak, or none."""
    assert choose_version(1, 9) == PROTOCOL_VERSION
    assert choose_version(PROTOCOL_VERSION + 1, PROTOCOL_VERSION + 3) == 0
    assert choose_version(0, 0) == 0
    assert is_spoken(PROTOCOL_VERSION)
    assert not is_spoken(PROTOCOL_VERSION + 1)


def test_the_login_statement_binds_every_part() -> None:
    """Changing any part of a login changes what is signed, and the layout is the documented one."""
    arguments = (b"c" * 16, 3, b"n" * 32, 1, 2, 5, 64, b"p" * 32)
    whole = login_statement(*arguments)
    assert len(whole) == LOGIN_STATEMENT_SIZE
    assert struct.unpack("<24s16sihhii32s32s", whole) == (
        LOGIN_DOMAIN,
        *arguments[:2],
        *arguments[3:7],
        *[arguments[2], arguments[7]],
    )
    others = (b"d" * 16, 4, b"m" * 32, 2, 1, 6, 65, b"q" * 32)
    for place, other in enumerate(others):
        changed = [*arguments]
        changed[place] = other
        assert login_statement(*changed) != whole  # type: ignore[arg-type]
