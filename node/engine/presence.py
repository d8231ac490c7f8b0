"""Presence: what becomes of a client's orders when the client is gone."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.engine.dooming import give_up
from node.engine.outcome import Outcome
from node.engine.session import Session
from node.engine.sessions import watch
from node.engine.state import State
from node.engine.timer import DEADLINE

NANOSECONDS_PER_MILLISECOND = 1_000_000


def set_deadline(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Have all the account's orders closed at a time unless it is set anew before; 0 for never."""
    number = read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF
    due_ns = read_i64_le(frame, at + layout.DEADLINE_SET_DEADLINE)
    least_ms: i64 = state.limits[limits.DEADLINE_MS]
    if due_ns != 0 and due_ns < state.stamp_ns + least_ms * NANOSECONDS_PER_MILLISECOND:
        return Code.DEADLINE_INVALID
    if state.account(number) is None:
        return Code.UNKNOWN_ACCOUNT
    state.set_timer(DEADLINE, number, due_ns)
    outcome.result = due_ns
    return Code.OK


def choose_on_disconnect(state: State, session: Session, frame: bytes, at: i64) -> Code:
    """Say whose orders go when the session's client does: nobody's, its key's, its account's."""
    scope = (read_i64_le(frame, at + layout.ACCOUNT) >> 32) & 0xFFFFFFFF
    key = session.key
    if scope == terms.SCOPE_ACCOUNT:
        if key.role != terms.TRADER:
            return Code.NOT_PERMITTED
        if key.agent is not None:
            return Code.AGENT_ACTION_NOT_ALLOWED
    elif scope > terms.SCOPE_KEY:
        return Code.SCOPE_INVALID
    state.touch(session.page)
    watch(state, session, scope)
    return Code.OK


def note_gone(state: State, frame: bytes, at: i64) -> Code:
    """Close the orders of a session whose client is gone, unless it has spoken since."""
    number = read_i64_le(frame, at + layout.SESSION_GONE_SESSION) & 0xFFFFFFFF
    session = state.sessions.get(number)
    if session is None:
        return Code.UNKNOWN_SESSION
    if session.next_sequence != read_i64_le(frame, at + layout.SESSION_GONE_NEXT_SEQUENCE):
        return Code.SEQUENCE_GAP
    give_up(state, session)
    return Code.OK
