"""Stopping: the kill switch of a key, an account, a market or the whole venue, and lifting it.

A stop lets nothing in that adds risk and closes what was working; cancels are never stopped.
"""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import events, terms
from node.domain.codes import Code
from node.engine.dooming import doom_account, doom_key
from node.engine.invariants import require
from node.engine.outcome import Outcome
from node.engine.session import Key
from node.engine.state import State
from node.engine.stop import Stop
from node.engine.sweep import DOOM_ACCOUNT, DOOM_KEY, STOP_MARKET, STOP_VENUE, Sweep
from node.engine.timer import SUBJECT_BITS


def stop(state: State, sender: Key, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Stop a key, an account, a market or the venue; `result` is how many stops are on."""
    account = read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF
    scope = (read_i64_le(frame, at + layout.ACCOUNT) >> 32) & 0xFFFFFFFF
    word = read_i64_le(frame, at + layout.STOP_SUBJECT)
    subject = word & 0xFFFFFFFF
    reason = (word >> 32) & 0xFFFFFFFF
    code = check_stop(state, sender, account, scope, subject)
    if code is not Code.OK:
        return code
    if reason < terms.STOP_ON_REQUEST or reason > terms.STOP_BY_RULE:
        return Code.STOP_INVALID
    number = (scope << SUBJECT_BITS) | subject
    known = state.registers.stops.get(number)
    if known is not None:
        if sender.role != terms.OPERATOR or was_operators(state, known):
            return Code.ALREADY_STOPPED
        take_over(state, sender, known, reason, frame, at)
        outcome.result = len(state.registers.stops)
        return Code.OK
    code = check_subject(state, scope, subject)
    if code is not Code.OK:
        return code
    reference = read_i64_le(frame, at + layout.STOP_REFERENCE)
    stop = Stop(number, reason, sender.number, reference)
    state.add_stop(stop)
    state.touch(stop.page)
    stop.sweep = begin_sweep(state, scope, subject)
    state.writer.stopped(events.STOPPED, number, reason, sender.number, reference)
    outcome.result = len(state.registers.stops)
    return Code.OK


def lift(state: State, sender: Key, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Lift a stop, once what it was to close is closed; an operator's only an operator may."""
    account = read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF
    scope = (read_i64_le(frame, at + layout.ACCOUNT) >> 32) & 0xFFFFFFFF
    word = read_i64_le(frame, at + layout.STOP_SUBJECT)
    subject = word & 0xFFFFFFFF
    reason = (word >> 32) & 0xFFFFFFFF
    code = check_stop(state, sender, account, scope, subject)
    if code is not Code.OK:
        return code
    stop = state.registers.stops.get((scope << SUBJECT_BITS) | subject)
    if stop is not None and sender.role != terms.OPERATOR and was_operators(state, stop):
        return Code.NOT_PERMITTED
    if reason < terms.STOP_ON_REQUEST or reason > terms.STOP_BY_RULE:
        return Code.STOP_INVALID
    if stop is None:
        return Code.NOT_STOPPED
    if stop.sweep != 0:
        return Code.STOP_SWEEPING
    state.drop_stop(stop)
    reference = read_i64_le(frame, at + layout.STOP_REFERENCE)
    state.writer.stopped(events.STOP_LIFTED, stop.number, reason, sender.number, reference)
    outcome.result = len(state.registers.stops)
    return Code.OK


def take_over(state: State, sender: Key, stop: Stop, reason: i64, frame: bytes, at: i64) -> None:
    """Make an owner's stop the operator's, which its owner cannot lift; what it closes goes on."""
    state.touch(stop.page)
    stop.reason = reason
    stop.by = sender.number
    stop.reference = read_i64_le(frame, at + layout.STOP_REFERENCE)
    state.writer.stopped(events.STOPPED, stop.number, reason, stop.by, stop.reference)


def was_operators(state: State, stop: Stop) -> bool:
    """Return whether an operator has stopped it."""
    key = state.keys[stop.by]
    return key is not None and key.role == terms.OPERATOR


def check_stop(state: State, sender: Key, account: i64, scope: i64, subject: i64) -> Code:
    """Check that the sender may stop this: an owner its account and keys, an agent itself."""
    if sender.role != terms.OPERATOR:
        if scope == terms.SCOPE_ACCOUNT:
            if subject != account:
                return Code.NOT_PERMITTED
        elif scope == terms.SCOPE_KEY:
            key = state.key(subject)
            if key is None or key.account != account:
                return Code.NOT_PERMITTED
        else:
            return Code.NOT_PERMITTED
    if sender.agent is not None and (scope != terms.SCOPE_KEY or subject != sender.number):
        return Code.AGENT_ACTION_NOT_ALLOWED
    if scope < terms.SCOPE_KEY or scope > terms.SCOPE_VENUE:
        return Code.STOP_INVALID
    return Code.OK


def check_subject(state: State, scope: i64, subject: i64) -> Code:
    """Check that what is to be stopped exists; the venue has number 0."""
    if scope == terms.SCOPE_KEY:
        return Code.UNKNOWN_KEY if state.key(subject) is None else Code.OK
    if scope == terms.SCOPE_ACCOUNT:
        return Code.UNKNOWN_ACCOUNT if state.account(subject) is None else Code.OK
    if scope == terms.SCOPE_MARKET:
        return Code.UNKNOWN_MARKET if state.market(subject) is None else Code.OK
    return Code.OK if subject == 0 else Code.STOP_INVALID


def begin_sweep(state: State, scope: i64, subject: i64) -> i64:
    """Doom what is working there and return the number of the sweep that closes it."""
    if scope == terms.SCOPE_KEY:
        key = state.key(subject)
        assert key is not None
        return doom_key(state, key, terms.CLOSE_BY_KEY_STOP).number
    if scope == terms.SCOPE_ACCOUNT:
        account = state.account(subject)
        assert account is not None
        return doom_account(state, account, terms.CLOSE_BY_ACCOUNT_STOP).number
    if scope == terms.SCOPE_MARKET:
        return state.add_sweep(STOP_MARKET, 0, subject).number
    require(scope == terms.SCOPE_VENUE, "a stop of no known scope")
    # What is let in nowhere can trade nowhere, so that nothing needs to be doomed.
    return state.add_sweep(STOP_VENUE, 0, 0).number


def note_swept(state: State, sweep: Sweep) -> None:
    """Note that what a stop has doomed is closed: it may be lifted."""
    scope: i64 = terms.SCOPE_VENUE
    subject = sweep.account
    if sweep.kind == DOOM_KEY:
        scope = terms.SCOPE_KEY
    elif sweep.kind == DOOM_ACCOUNT:
        scope = terms.SCOPE_ACCOUNT
    elif sweep.kind == STOP_MARKET:
        scope = terms.SCOPE_MARKET
        subject = sweep.market
    stop = state.registers.stops.get((scope << SUBJECT_BITS) | subject)
    # A passed deadline sweeps, too; only the stop's own sweep ends its wait.
    if stop is not None and stop.sweep == sweep.number:
        state.touch(stop.page)
        stop.sweep = 0
