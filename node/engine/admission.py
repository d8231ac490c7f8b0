"""Admission: whether a trader's command is looked at at all: its agent's scope, pace, and stops."""

from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits
from node.domain.codes import Code
from node.domain.units import NANOSECONDS_PER_SECOND
from node.engine.outcome import Outcome
from node.engine.session import Key
from node.engine.state import State


def needs_admission(state: State, key: Key) -> bool:
    """Return whether anything at all is to be checked; mostly nothing is."""
    if key.agent is not None or key.stop is not None or state.venue_stop is not None:
        return True
    return state.limits[limits.RATE_REFILL] != 0


def admit(state: State, key: Key, kind: i64, account: i64, outcome: Outcome) -> Code:
    """Check a command of `key` for an account, before its own terms are."""
    if key.agent is not None:
        code = admit_agent(state, key, kind, outcome)
        if code is not Code.OK:
            return code
    if state.limits[limits.RATE_REFILL] != 0:
        code = keep_pace(state, kind, account, outcome)
        if code is not Code.OK:
            return code
    if not is_entry(kind):
        return Code.OK
    if key.stop is not None:
        return Code.KEY_STOPPED
    return Code.OK if state.venue_stop is None else Code.VENUE_STOPPED


def is_entry(kind: i64) -> bool:
    """Return whether a command may add to what an account risks; the others are never stopped."""
    if kind >= layout.SUBACCOUNT_OPEN:
        return False
    if kind == layout.CANCEL or kind == layout.CANCEL_ALL or kind == layout.REDUCE:
        return False
    return kind != layout.MERGE_SETS and kind != layout.REDEEM


def admit_agent(state: State, key: Key, kind: i64, outcome: Outcome) -> Code:
    """Check that an agent is within its time, its actions and its rate."""
    agent = key.agent
    assert agent is not None
    if agent.expiry_ns <= state.stamp_ns:
        return Code.AGENT_EXPIRED
    if is_owners(kind):
        return Code.AGENT_ACTION_NOT_ALLOWED
    if not is_entry(kind):
        return Code.OK
    cost_ns = NANOSECONDS_PER_SECOND // agent.rate
    conduct = state.conduct_of_key(key)
    wait_ns = conduct.wait_ns(state.stamp_ns, cost_ns, NANOSECONDS_PER_SECOND)
    if wait_ns > 0:
        outcome.result = wait_ns
        return Code.AGENT_RATE_EXCEEDED
    state.touch(conduct.page)
    conduct.pay(state.stamp_ns, cost_ns)
    return Code.OK


def is_owners(kind: i64) -> bool:
    """Return whether a command is the owner's alone: money, sets, deadlines, and lifting a stop."""
    if kind == layout.SPLIT or kind == layout.DEADLINE_SET or kind == layout.STOP_LIFT:
        return True
    return layout.SUBACCOUNT_OPEN <= kind <= layout.WITHDRAW_REQUEST


def keep_pace(state: State, kind: i64, number: i64, outcome: Outcome) -> Code:
    """Take a command's cost from the account's bucket; `result` says how long to wait if empty."""
    account = state.account(number)
    if account is None:
        return Code.OK
    refill: i64 = state.limits[limits.RATE_REFILL]
    burst: i64 = state.limits[limits.RATE_BURST]
    # Both round down: for the sender. A bucket too small for one command holds one.
    cost_ns = cost_of(state, kind) * NANOSECONDS_PER_SECOND // refill
    burst_ns = max(burst * NANOSECONDS_PER_SECOND // refill, cost_ns)
    conduct = state.conduct_of_account(account)
    wait_ns = conduct.wait_ns(state.stamp_ns, cost_ns, burst_ns)
    if wait_ns > 0:
        outcome.result = wait_ns
        return Code.RATE_EXCEEDED
    state.touch(conduct.page)
    conduct.pay(state.stamp_ns, cost_ns)
    return Code.OK


def cost_of(state: State, kind: i64) -> i64:
    """Return the tokens that a command costs."""
    if kind == layout.CANCEL or kind == layout.CANCEL_ALL:
        return state.limits[limits.RATE_COST_CANCEL]
    if kind == layout.REDUCE or kind == layout.AMEND:
        return state.limits[limits.RATE_COST_AMEND]
    return state.limits[limits.RATE_COST_PLACE]
