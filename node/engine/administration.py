"""What only an operator may command: accounts, deposits, events, keys and limits."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import events, limits, terms
from node.domain.codes import Code
from node.domain.identifiers import ADDRESS_SIZE, NAME_SIZE, PUBLIC_KEY_SIZE
from node.domain.units import MAX_SUPPLY
from node.engine import ledger
from node.engine.account import Account
from node.engine.fee_schedule import FeeSchedule
from node.engine.invariants import require
from node.engine.market import Event, Market
from node.engine.market_rules import MarketRules
from node.engine.outcome import Outcome
from node.engine.rule_setting import enter_schedule, is_tick
from node.engine.session import Key
from node.engine.state import State


def execute(state: State, kind: i64, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Execute an operator's command about accounts, events, markets, keys or limits."""
    if kind == layout.ACCOUNT_OPEN:
        return open_account(state, frame, at, outcome)
    if kind == layout.DEPOSIT:
        return deposit(state, frame, at, outcome)
    if kind == layout.EVENT_CREATE:
        return create_event(state, frame, at, outcome)
    if kind == layout.MARKET_CREATE:
        return create_market(state, frame, at, outcome)
    if kind == layout.KEY_GRANT:
        return grant_key(state, frame, at, outcome)
    if kind == layout.KEY_REVOKE:
        return revoke_key(state, frame, at, outcome)
    require(kind == layout.CONFIGURE, "a command type without a handler")
    return configure(state, frame, at, outcome)


def open_account(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Open an account for an address, with the key that trades for it."""
    mode = read_i64_le(frame, at + layout.ACCOUNT_OPEN_MODE) & 0xFFFFFFFF
    start = at + layout.ACCOUNT_OPEN_ADDRESS
    address = frame[start : start + ADDRESS_SIZE]
    start = at + layout.ACCOUNT_OPEN_PUBLIC_KEY
    public_key = frame[start : start + PUBLIC_KEY_SIZE]
    if public_key in state.keys_by_public:
        return Code.KEY_EXISTS
    most_keys: i64 = state.limits[limits.KEYS]
    if state.key_count >= most_keys:
        return Code.TOO_MANY_KEYS
    if address in state.accounts_by_address:
        return Code.ACCOUNT_EXISTS
    most: i64 = state.limits[limits.ACCOUNTS]
    if state.treasury.accounts >= most:
        return Code.TOO_MANY_ACCOUNTS
    if mode != terms.NET and mode != terms.HOLD:
        return Code.MODE_INVALID
    state.touch(state.treasury_page)
    state.treasury.accounts += 1
    account = Account(state.treasury.accounts, mode, address)
    state.add_account(account)
    state.writer.account_opened(account)
    grant(state, terms.TRADER, account.number, public_key)
    outcome.result = account.number
    return Code.OK


def deposit(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Credit the deposit that follows the last one; the cursor makes a repeated one harmless."""
    number = read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF
    amount = read_i64_le(frame, at + layout.DEPOSIT_AMOUNT)
    cursor = read_i64_le(frame, at + layout.DEPOSIT_CURSOR)
    treasury = state.treasury
    account = state.account(number)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    most: i64 = state.limits[limits.DEPOSIT_AMOUNT]
    if amount < 1 or amount > most:
        return Code.AMOUNT_OUT_OF_RANGE
    if cursor <= treasury.deposit_cursor:
        return Code.DEPOSIT_ALREADY_CREDITED
    if cursor > treasury.deposit_cursor + 1:
        return Code.DEPOSIT_GAP
    if amount > MAX_SUPPLY - treasury.deposits:
        return Code.SUPPLY_EXCEEDED
    state.touch(state.treasury_page)
    state.touch(account.page)
    treasury.deposit_cursor = cursor
    ledger.credit(account, amount, treasury)
    state.writer.deposited(account, amount, treasury)
    outcome.result = cursor
    return Code.OK


def create_event(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Create an event; markets join it later."""
    exclusive = read_i64_le(frame, at + layout.EVENT_CREATE_EXCLUSIVE) & 0xFFFFFFFF
    start = at + layout.EVENT_CREATE_NAME
    name = frame[start : start + NAME_SIZE]
    most: i64 = state.limits[limits.EVENTS]
    if state.treasury.events >= most:
        return Code.TOO_MANY_EVENTS
    if name[0] == 0:
        return Code.NAME_INVALID
    state.touch(state.treasury_page)
    state.treasury.events += 1
    if exclusive > terms.AUGMENTED:
        exclusive = terms.EXCLUSIVE
    event = Event(state.treasury.events, exclusive, name)
    state.add_event(event)
    state.writer.event_created(event)
    outcome.result = event.number
    return Code.OK


def create_market(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Create a market in an event; an exclusive event takes none once trading has begun.

    In an augmented event those behind the first may have no name yet.
    """
    first = read_i64_le(frame, at + layout.MARKET_CREATE_EVENT)
    second = read_i64_le(frame, at + layout.MARKET_CREATE_TAKER_FEE_BPS)
    start = at + layout.MARKET_CREATE_NAME
    name = frame[start : start + NAME_SIZE]
    tick = (first >> 32) & 0xFFFFFFFF
    taker_fee_bps = second & 0xFFFFFFFF
    maker_fee_bps = (second >> 32) & 0xFFFFFFFF
    event = state.event(first & 0xFFFFFFFF)
    if event is None:
        return Code.UNKNOWN_EVENT
    most: i64 = state.limits[limits.MARKETS]
    if state.treasury.markets >= most:
        return Code.TOO_MANY_MARKETS
    most_here: i64 = state.limits[limits.MARKETS_PER_EVENT]
    if len(event.markets) >= most_here:
        return Code.EVENT_FULL
    if event.exclusive != 0 and event.started != 0:
        return Code.EVENT_STARTED
    may_wait = event.exclusive == terms.AUGMENTED and len(event.markets) > 0
    if name[0] == 0 and not may_wait:
        return Code.NAME_INVALID
    if not is_tick(tick):
        return Code.TICK_INVALID
    most_fee: i64 = state.limits[limits.FEE_BPS]
    if taker_fee_bps > most_fee or maker_fee_bps > most_fee:
        return Code.FEE_OUT_OF_RANGE
    schedule = FeeSchedule(terms.SHAPED, taker_fee_bps, maker_fee_bps, 0, 0)
    code = enter_schedule(state, schedule, outcome)
    if code is not Code.OK:
        return code
    state.touch(state.treasury_page)
    state.treasury.markets += 1
    rules = MarketRules(state.treasury.markets, state.schedules[outcome.result])
    market = Market(state.treasury.markets, event, tick, rules, name)
    state.add_market(market)
    state.writer.market_created(market)
    outcome.result = market.number
    return Code.OK


def grant_key(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Register a key: a trader's for an existing account, or one of another role."""
    word = read_i64_le(frame, at + layout.KEY_ROLE)
    role = word & 0xFFFFFFFF
    account = (word >> 32) & 0xFFFFFFFF
    start = at + layout.KEY_PUBLIC_KEY
    public_key = frame[start : start + PUBLIC_KEY_SIZE]
    if public_key in state.keys_by_public:
        return Code.KEY_EXISTS
    most: i64 = state.limits[limits.KEYS]
    if state.key_count >= most:
        return Code.TOO_MANY_KEYS
    if role < terms.TRADER or role > terms.RESOLVER:
        return Code.ROLE_INVALID
    if role == terms.TRADER:
        if state.account(account) is None:
            return Code.UNKNOWN_ACCOUNT
    else:
        account = 0
    outcome.result = grant(state, role, account, public_key)
    return Code.OK


def grant(state: State, role: i64, account: i64, public_key: bytes) -> i64:
    """Give a new key its number, index it, say so, and return the number."""
    state.key_count += 1
    if role == terms.OPERATOR:
        state.operator_count += 1
    key = Key(state.key_count, role, account, public_key)
    state.add_key(key)
    state.writer.key_changed(events.KEY_GRANTED, key.number, role, account, public_key)
    return key.number


def revoke_key(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Revoke a key for ever; the last operator's cannot be."""
    start = at + layout.KEY_PUBLIC_KEY
    key = state.keys_by_public.get(frame[start : start + PUBLIC_KEY_SIZE])
    if key is None:
        return Code.UNKNOWN_KEY
    if key.revoked != 0:
        return Code.KEY_REVOKED
    if key.role == terms.OPERATOR and state.operator_count == 1:
        return Code.LAST_OPERATOR_KEY
    revoke(state, key)
    outcome.result = key.number
    return Code.OK


def revoke(state: State, key: Key) -> None:
    """Take a key's rights away and say so."""
    state.touch(key.page)
    if key.role == terms.OPERATOR:
        state.operator_count -= 1
    account = state.account(key.account)
    if account is not None and key.agent is not None:
        account.agent_count -= 1
    key.revoked = 1
    state.writer.key_changed(events.KEY_REVOKED, key.number, key.role, key.account, key.public_key)


def configure(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Set one limit, from the next command on."""
    number = read_i64_le(frame, at + layout.CONFIGURE_LIMIT) & 0xFFFFFFFF
    value = read_i64_le(frame, at + layout.CONFIGURE_VALUE)
    if number >= limits.LIMIT_COUNT:
        return Code.UNKNOWN_LIMIT
    bounds = limits.LIMIT_RANGES[number]
    if value < bounds.least or value > bounds.most:
        return Code.LIMIT_OUT_OF_RANGE
    state.limits[number] = value
    state.writer.configured(number, value)
    outcome.result = number
    return Code.OK
