"""Agency: an owner gives a key a budget; the agent may make it smaller; either may end it."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.identifiers import PUBLIC_KEY_SIZE
from node.domain.units import MAX_SUPPLY, NANOSECONDS_PER_SECOND
from node.engine import administration
from node.engine.agent import ENTRIES, Agent
from node.engine.fields import i32_at
from node.engine.outcome import Outcome
from node.engine.session import Key
from node.engine.state import State

RATE_MAX = 1_000_000
WINDOW_MAX_NS = 366 * 24 * 3_600 * NANOSECONDS_PER_SECOND


def set_agent(state: State, sender: Key, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Grant a key to an agent, or change what it may do; `result` is the key's number."""
    number = read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF
    start = at + layout.AGENT_SET_PUBLIC_KEY
    public_key = frame[start : start + PUBLIC_KEY_SIZE]
    key = state.keys_by_public.get(public_key)
    wanted = read_agent(frame, at)
    code = check_agent_key(state, sender, key, number, wanted)
    if code is not Code.OK:
        return code
    if not is_sound(state, wanted):
        return Code.AGENT_TERMS_INVALID
    account = state.account(number)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    if key is None:
        most: i64 = state.limits[limits.AGENTS_PER_ACCOUNT]
        if account.agent_count >= most:
            return Code.TOO_MANY_AGENTS
        granted = administration.grant(state, terms.TRADER, number, public_key)
        key = state.keys[granted]
        assert key is not None
        wanted.key = granted
        wanted.spending.empty(state.stamp_ns)
        state.add_agent(key, wanted)
    else:
        change(state, key, wanted)
    state.writer.agent_changed(key, wanted)
    outcome.result = key.number
    return Code.OK


def read_agent(frame: bytes, at: i64) -> Agent:
    """Return the budget that a frame gives, of no key yet."""
    agent = Agent(0)
    agent.order_value = read_i64_le(frame, at + layout.AGENT_SET_ORDER_VALUE)
    agent.spend = read_i64_le(frame, at + layout.AGENT_SET_SPEND)
    agent.spending.window_ns = read_i64_le(frame, at + layout.AGENT_SET_WINDOW)
    agent.exposure = read_i64_le(frame, at + layout.AGENT_SET_EXPOSURE)
    agent.expiry_ns = read_i64_le(frame, at + layout.AGENT_SET_EXPIRY)
    agent.rate = i32_at(frame, at + layout.AGENT_SET_RATE)
    agent.times_in_force = i32_at(frame, at + layout.AGENT_SET_TIMES_IN_FORCE)
    entry: i64 = 0
    while entry < ENTRIES:
        agent.allowed[entry] = i32_at(frame, at + layout.AGENT_SET_ALLOWED + 4 * entry)
        entry += 1
    return agent


def check_agent_key(
    state: State, sender: Key, key: Key | None, account: i64, wanted: Agent
) -> Code:
    """Check that the sender may say this of the key."""
    if key is None:
        if sender.agent is not None:
            return Code.AGENT_ACTION_NOT_ALLOWED
        most: i64 = state.limits[limits.KEYS]
        return Code.TOO_MANY_KEYS if state.key_count >= most else Code.OK
    if key.revoked != 0:
        return Code.KEY_REVOKED
    agent = key.agent
    if agent is None or key.account != account:
        return Code.KEY_EXISTS
    if sender.agent is None:
        return Code.OK
    if key is not sender:
        return Code.AGENT_ACTION_NOT_ALLOWED
    return Code.OK if is_tighter(state, agent, wanted) else Code.AGENT_MAY_ONLY_TIGHTEN


def is_sound(state: State, agent: Agent) -> bool:
    """Return whether every field of a budget is in its range."""
    least = min(agent.order_value, agent.spend, agent.exposure)
    if least < 0 or max(agent.order_value, agent.spend, agent.exposure) > MAX_SUPPLY:
        return False
    window_ns = agent.spending.window_ns
    if window_ns < NANOSECONDS_PER_SECOND or window_ns > WINDOW_MAX_NS:
        return False
    if agent.rate < 1 or agent.rate > RATE_MAX:
        return False
    entry: i64 = 0
    while entry < ENTRIES:
        if agent.allowed[entry] < 0:
            return False
        entry += 1
    return agent.expiry_ns > state.stamp_ns and 0 < agent.times_in_force < 1 << 16


def is_tighter(state: State, old: Agent, new: Agent) -> bool:
    """Return whether no field of a budget allows what the old one does not."""
    if new.order_value > old.order_value or new.spend > old.spend or new.exposure > old.exposure:
        return False
    if new.expiry_ns > old.expiry_ns or new.rate > old.rate:
        return False
    if new.spending.window_ns != old.spending.window_ns:
        return False
    if new.times_in_force & ~old.times_in_force != 0:
        return False
    if has_no_entries(old):
        return True
    if has_no_entries(new):
        return False
    entry: i64 = 0
    while entry < ENTRIES:
        if not is_within(state, new.allowed[entry], old):
            return False
        entry += 1
    return True


def has_no_entries(agent: Agent) -> bool:
    """Return whether the list of markets is empty, which allows all."""
    entry: i64 = 0
    while entry < ENTRIES:
        if agent.allowed[entry] != 0:
            return False
        entry += 1
    return True


def is_within(state: State, what: i64, old: Agent) -> bool:
    """Return whether an entry allows nothing that the old list does not."""
    market = state.market(what)
    by_event: i64 = 0 if market is None else market.event.number | layout.EVENT_ENTRY
    entry: i64 = 0
    while entry < ENTRIES:
        known = old.allowed[entry]
        if what == known or (by_event != 0 and by_event == known):
            return True
        entry += 1
    return what == 0


def change(state: State, key: Key, wanted: Agent) -> None:
    """Give a key another budget; what it has spent still counts."""
    agent = key.agent
    assert agent is not None
    state.touch(agent.page)
    agent.order_value = wanted.order_value
    agent.spend = wanted.spend
    if agent.spending.window_ns != wanted.spending.window_ns:
        agent.spending.set_window(state.stamp_ns, wanted.spending.window_ns)
    agent.exposure = wanted.exposure
    agent.expiry_ns = wanted.expiry_ns
    agent.rate = wanted.rate
    agent.times_in_force = wanted.times_in_force
    entry: i64 = 0
    while entry < ENTRIES:
        agent.allowed[entry] = wanted.allowed[entry]
        entry += 1


def revoke_agent(state: State, sender: Key, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """End an agent's key for ever; its orders stay. An agent may end its own."""
    number = read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF
    start = at + layout.AGENT_REVOKE_PUBLIC_KEY
    key = state.keys_by_public.get(frame[start : start + PUBLIC_KEY_SIZE])
    if key is not None and key.revoked != 0:
        return Code.KEY_REVOKED
    if sender.agent is not None and key is not sender:
        return Code.AGENT_ACTION_NOT_ALLOWED
    if key is None or key.agent is None or key.account != number:
        return Code.UNKNOWN_AGENT
    administration.revoke(state, key)
    outcome.result = key.number
    return Code.OK
