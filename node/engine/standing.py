"""Loading the records that say how accounts and keys stand, from a snapshot's pages."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import records, terms
from node.engine.agent import ENTRIES, Agent
from node.engine.bounds import Bounds
from node.engine.fields import i32_at
from node.engine.kinship import Kinship
from node.engine.ledger import change_exposure, change_open
from node.engine.order import Order
from node.engine.state import State
from node.engine.stop import Stop
from node.engine.timer import SUBJECT_BITS, SUBJECT_MASK
from node.engine.withdrawal import Withdrawal


def load_standing(state: State, kind: i64, value: bytes, at: i64) -> str:
    """Load one record; return what is wrong with it, "" for nothing."""
    if kind == records.KINSHIP:
        return load_kinship(state, value, at)
    if kind == records.CONDUCT:
        return load_conduct(state, value, at)
    if kind == records.WITHDRAWAL:
        return load_withdrawal(state, value, at)
    if kind == records.AGENT:
        return load_agent(state, value, at)
    if kind == records.BOUNDS:
        return load_bounds(state, value, at)
    return load_stop(state, value, at)


def load_kinship(state: State, value: bytes, at: i64) -> str:
    """Load a KINSHIP record."""
    account = state.account(i32_at(value, at + records.KINSHIP_ACCOUNT))
    if account is None:
        return "a record's account is missing"
    owner = i32_at(value, at + records.KINSHIP_OWNER)
    kinship = Kinship(account, owner, i32_at(value, at + records.KINSHIP_ORDINAL))
    kinship.subaccounts = i32_at(value, at + records.KINSHIP_SUBACCOUNTS)
    kinship.last_transfer = read_i64_le(value, at + records.KINSHIP_LAST_TRANSFER)
    state.add_kinship(kinship)
    return ""


def load_withdrawal(state: State, value: bytes, at: i64) -> str:
    """Load a WITHDRAWAL record."""
    account = state.account(i32_at(value, at + records.WITHDRAWAL_ACCOUNT))
    if account is None:
        return "a record's account is missing"
    state.registers.withdrawals.add(
        Withdrawal(
            read_i64_le(value, at + records.WITHDRAWAL_ID),
            account,
            read_i64_le(value, at + records.WITHDRAWAL_AMOUNT),
        )
    )
    return ""


def load_conduct(state: State, value: bytes, at: i64) -> str:
    """Load a CONDUCT record."""
    number = read_i64_le(value, at + records.CONDUCT_NUMBER)
    subject = number & SUBJECT_MASK
    if number >> SUBJECT_BITS == terms.SCOPE_ACCOUNT:
        account = state.account(subject)
        if account is None:
            return "a conduct's account is missing"
        conduct = state.conduct_of_account(account)
    else:
        key = state.key(subject)
        if key is None:
            return "a conduct's key is missing"
        conduct = state.conduct_of_key(key)
    conduct.watermark = read_i64_le(value, at + records.CONDUCT_WATERMARK)
    conduct.reason = i32_at(value, at + records.CONDUCT_REASON)
    conduct.busy_until_ns = read_i64_le(value, at + records.CONDUCT_BUSY_UNTIL)
    return ""


def load_agent(state: State, value: bytes, at: i64) -> str:
    """Load an AGENT record."""
    key = state.key(i32_at(value, at + records.AGENT_KEY))
    if key is None or state.account(key.account) is None:
        return "an agent's key or account is missing"
    agent = Agent(key.number)
    agent.times_in_force = i32_at(value, at + records.AGENT_TIMES_IN_FORCE)
    agent.order_value = read_i64_le(value, at + records.AGENT_ORDER_VALUE)
    agent.spend = read_i64_le(value, at + records.AGENT_SPEND)
    agent.spending.window_ns = read_i64_le(value, at + records.AGENT_WINDOW)
    agent.exposure = read_i64_le(value, at + records.AGENT_EXPOSURE)
    agent.expiry_ns = read_i64_le(value, at + records.AGENT_EXPIRY)
    agent.rate = read_i64_le(value, at + records.AGENT_RATE)
    number: i64 = 0
    while number < ENTRIES:
        agent.allowed[number] = i32_at(value, at + records.AGENT_ALLOWED + 4 * number)
        number += 1
    agent.spending.read(value, at + records.AGENT_NEWEST)
    state.add_agent(key, agent)
    return ""


def load_bounds(state: State, value: bytes, at: i64) -> str:
    """Load a BOUNDS record."""
    bounds = Bounds(read_i64_le(value, at + records.BOUNDS_NUMBER))
    bounds.reduce_only = read_i64_le(value, at + records.BOUNDS_REDUCE_ONLY)
    bounds.open_orders = i32_at(value, at + records.BOUNDS_OPEN_ORDERS)
    bounds.positions = i32_at(value, at + records.BOUNDS_POSITIONS)
    bounds.order_lots = read_i64_le(value, at + records.BOUNDS_ORDER_LOTS)
    bounds.order_value = read_i64_le(value, at + records.BOUNDS_ORDER_VALUE)
    bounds.position_lots = read_i64_le(value, at + records.BOUNDS_POSITION_LOTS)
    return "" if state.put_bounds(bounds) else "the account or market of bounds is missing"


def load_stop(state: State, value: bytes, at: i64) -> str:
    """Load a STOP record."""
    stop = Stop(
        read_i64_le(value, at + records.STOP_NUMBER),
        i32_at(value, at + records.STOP_REASON),
        i32_at(value, at + records.STOP_BY),
        read_i64_le(value, at + records.STOP_REFERENCE),
    )
    stop.sweep = read_i64_le(value, at + records.STOP_SWEEP)
    return "" if state.add_stop(stop) else "what is stopped is missing"


def seat_order(state: State, order: Order) -> bool:
    """Count a resting order into its position and its key; return whether the key is there."""
    change_open(order, order.leaves)
    key = state.key(order.key)
    if key is not None:
        order.placer = key
        key.append(order)
        change_exposure(order, order.cash_locked)
    return key is not None or order.key == 0
