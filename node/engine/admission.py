"""Admission: whether a trader's command is looked at at all: its agent's scope, pace, and stops."""

from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.units import NANOSECONDS_PER_SECOND
from node.engine.account import Account
from node.engine.conduct import Conduct
from node.engine.outcome import Outcome
from node.engine.session import Key
from node.engine.state import State


def needs_admission(state: State, key: Key) -> bool:
    """Return whether anything at all is to be checked; mostly nothing is."""
    if key.agent is not None or key.stop is not None or state.venue_stop is not None:
        return True
    return state.limits[limits.RATE_REFILL] != 0


def admit(state: State, key: Key, kind: i64, items: i64, account: i64, outcome: Outcome) -> Code:
    """Check a command of `key` for an account, before its own terms are.

    One that enters several orders counts as so many.
    """
    if key.agent is not None:
        code = admit_agent(state, key, kind, items, outcome)
        if code is not Code.OK:
            return code
    if state.limits[limits.RATE_REFILL] != 0 and is_paced(key, kind):
        code = keep_pace(state, kind, items, account, outcome)
        if code is not Code.OK:
            return code
    if key.stop is not None and (is_entry(kind) or gives_away(kind)):
        return Code.KEY_STOPPED
    if state.venue_stop is not None and is_entry(kind):
        return Code.VENUE_STOPPED
    return Code.OK


def foresee(state: State, key: Key, account: Account | None) -> Code:
    """Return how an order of `key` for the account would be admitted now; nothing is taken."""
    if key.revoked != 0:
        return Code.KEY_REVOKED
    agent = key.agent
    if agent is not None:
        if agent.expiry_ns <= state.stamp_ns:
            return Code.AGENT_EXPIRED
        cost_ns = NANOSECONDS_PER_SECOND // agent.rate
        if must_wait(state, key.conduct, cost_ns, NANOSECONDS_PER_SECOND):
            return Code.AGENT_RATE_EXCEEDED
    paced = state.limits[limits.RATE_REFILL] != 0 and key.role != terms.OPERATOR
    if paced and account is not None:
        cost_ns = pace_of(state, layout.PLACE)
        if must_wait(state, account.conduct, cost_ns, burst_of(state, cost_ns)):
            return Code.RATE_EXCEEDED
    if key.stop is not None:
        return Code.KEY_STOPPED
    return Code.OK if state.venue_stop is None else Code.VENUE_STOPPED


def must_wait(state: State, conduct: Conduct | None, cost_ns: i64, burst_ns: i64) -> bool:
    """Return whether a bucket, full when there is none yet, is too empty now."""
    return conduct is not None and conduct.wait_ns(state.stamp_ns, cost_ns, burst_ns) > 0


def is_paced(key: Key, kind: i64) -> bool:
    """Return whether a command costs tokens: no operator's does, nor what takes power away."""
    return key.role != terms.OPERATOR and kind != layout.STOP and kind != layout.AGENT_REVOKE


def gives_away(kind: i64) -> bool:
    """Return whether a command moves money or gives others power: no stopped key's does."""
    if kind == layout.SUBACCOUNT_OPEN or kind == layout.TRANSFER:
        return True
    return kind == layout.WITHDRAW_REQUEST or kind == layout.AGENT_SET


def is_entry(kind: i64) -> bool:
    """Return whether a command may add to what an account risks; the others are never stopped."""
    if kind >= layout.SUBACCOUNT_OPEN:
        return kind == layout.CONVERT
    if kind == layout.CANCEL or kind == layout.CANCEL_ALL or kind == layout.REDUCE:
        return False
    if kind == layout.ORDER_GROUP_TRIGGER:
        return False
    return kind != layout.MERGE_SETS and kind != layout.REDEEM


def admit_agent(state: State, key: Key, kind: i64, items: i64, outcome: Outcome) -> Code:
    """Check that an agent is within its time, its actions and its rate."""
    agent = key.agent
    assert agent is not None
    if agent.expiry_ns <= state.stamp_ns:
        return Code.AGENT_EXPIRED
    if is_owners(kind):
        return Code.AGENT_ACTION_NOT_ALLOWED
    if not is_entry(kind):
        return Code.OK
    cost_ns = items * (NANOSECONDS_PER_SECOND // agent.rate)
    conduct = state.conduct_of_key(key)
    # A second's worth at most; a quote of more orders than that takes an untouched bucket.
    wait_ns = conduct.wait_ns(state.stamp_ns, cost_ns, max(cost_ns, NANOSECONDS_PER_SECOND))
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


def keep_pace(state: State, kind: i64, items: i64, number: i64, outcome: Outcome) -> Code:
    """Take a command's cost from the account's bucket; `result` says how long to wait if empty."""
    account = state.account(number)
    if account is None:
        return Code.OK
    cost_ns = items * pace_of(state, kind)
    conduct = state.conduct_of_account(account)
    wait_ns = conduct.wait_ns(state.stamp_ns, cost_ns, burst_of(state, cost_ns))
    if wait_ns > 0:
        outcome.result = wait_ns
        return Code.RATE_EXCEEDED
    state.touch(conduct.page)
    conduct.pay(state.stamp_ns, cost_ns)
    return Code.OK


def pace_of(state: State, kind: i64) -> i64:
    """Return the time that refills what a command costs; rounds down, for the sender."""
    refill: i64 = state.limits[limits.RATE_REFILL]
    return cost_of(state, kind) * NANOSECONDS_PER_SECOND // refill


def burst_of(state: State, cost_ns: i64) -> i64:
    """Return the time that refills a bucket; one too small for a command of this cost holds one."""
    refill: i64 = state.limits[limits.RATE_REFILL]
    burst: i64 = state.limits[limits.RATE_BURST]
    return max(burst * NANOSECONDS_PER_SECOND // refill, cost_ns)


def cost_of(state: State, kind: i64) -> i64:
    """Return the tokens that a command costs."""
    if kind == layout.CANCEL or kind == layout.CANCEL_ALL or kind == layout.ORDER_GROUP_TRIGGER:
        return state.limits[limits.RATE_COST_CANCEL]
    if kind == layout.REDUCE or kind == layout.AMEND:
        return state.limits[limits.RATE_COST_AMEND]
    if kind == layout.ORDER_GROUP_SET or kind == layout.ORDER_GROUP_RESET:
        return state.limits[limits.RATE_COST_AMEND]
    return state.limits[limits.RATE_COST_PLACE]
