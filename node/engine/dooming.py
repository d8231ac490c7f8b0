"""Dooming: all working orders of an account or of a key are over at once, and swept in turn."""

from mypy_extensions import i64

from node.domain import terms
from node.engine.account import Account
from node.engine.invariants import require
from node.engine.position import Position
from node.engine.removal import close
from node.engine.session import Key, Session
from node.engine.state import State
from node.engine.sweep import DOOM_ACCOUNT, DOOM_KEY, Sweep


def doom_account(state: State, account: Account, reason: i64) -> Sweep:
    """Doom the account's orders; return the sweep that closes them."""
    conduct = state.conduct_of_account(account)
    state.touch(conduct.page)
    conduct.watermark = state.next_watermark()
    conduct.reason = reason
    sweep = state.add_sweep(DOOM_ACCOUNT, account.number, 0)
    sweep.cursor = len(account.position_list)
    return sweep


def doom_key(state: State, key: Key, reason: i64) -> Sweep:
    """Doom the orders that the key has placed, for whichever account."""
    conduct = state.conduct_of_key(key)
    state.touch(conduct.page)
    conduct.watermark = state.next_watermark()
    conduct.reason = reason
    return state.add_sweep(DOOM_KEY, key.number, 0)


def give_up(state: State, session: Session) -> None:
    """Doom the orders that go with a session's client: none, its key's, or its account's."""
    if session.on_disconnect == terms.SCOPE_ACCOUNT:
        account = state.account(session.key.account)
        assert account is not None
        if account.order_count > 0:
            doom_account(state, account, terms.CLOSE_BY_DISCONNECT)
    elif session.on_disconnect == terms.SCOPE_KEY and session.key.first_order is not None:
        doom_key(state, session.key, terms.CLOSE_BY_DISCONNECT)


def sweep_doomed_account(state: State, sweep: Sweep, budget: i64) -> i64:
    """Close doomed orders position by position, from the last place down; return what is left."""
    account = state.account(sweep.account)
    require(account is not None, "a sweep names no account")
    assert account is not None
    conduct = state.conduct_of_account(account)
    while sweep.cursor > 0 and budget > 0:
        place = sweep.cursor - 1
        if place < len(account.position_list):
            position = account.position_list[place]
            budget = close_doomed(state, position, conduct.watermark, conduct.reason, budget)
            if budget == 0:
                return 0
        sweep.cursor = place
        budget -= 1
    return budget


def close_doomed(state: State, position: Position, watermark: i64, reason: i64, budget: i64) -> i64:
    """Close the position's orders with ids under the watermark; return what is left."""
    while budget > 0:
        order = position.oldest()
        if order is None or order.id >= watermark:
            break
        close(state, order, reason)
        budget -= 1
    return budget


def sweep_doomed_key(state: State, sweep: Sweep, budget: i64) -> i64:
    """Close the doomed orders of a key, oldest first; return what is left of the budget."""
    key = state.keys[sweep.account]
    require(key is not None, "a sweep names no key")
    assert key is not None
    conduct = state.conduct_of_key(key)
    while budget > 0:
        order = key.first_order
        if order is None or order.id >= conduct.watermark:
            break
        close(state, order, conduct.reason)
        budget -= 1
    return budget


def let_deadline_pass(state: State, number: i64) -> None:
    """Doom the orders of an account that has not said in time that it is there."""
    account = state.account(number)
    require(account is not None, "a deadline of no account")
    assert account is not None
    doom_account(state, account, terms.CLOSE_BY_DEADLINE)
