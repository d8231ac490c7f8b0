"""The naive rules of agents: keys that trade for an account within a budget."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from node.domain.codes import Code
from node.domain.commands import EVENT_ENTRY
from node.domain.limits import Limit
from node.domain.terms import Liquidity
from node.domain.units import MAX_SUPPLY
from tests import account_commands as a
from tests import commands as c
from tests.naive_book import WHOLE, NaiveOrder
from tests.naive_records import NaiveMarket, Outcome, require
from tests.naive_venue import NaiveVenue
from tests.venue_driver import SECOND_NS


@dataclass
class NaiveAgent:
    """A budget, and every payment: when (in parts of the window) and how much."""

    terms: a.AgentSet
    spends: list[tuple[int, int]] = field(default_factory=list)
    revoked: bool = False

    def part(self, now_ns: int) -> int:
        """Return which 15th of a window a time falls in."""
        return now_ns // -(-self.terms.window_ns // 15)

    def spent(self, now_ns: int) -> int:
        """Return what counts: the part that runs and the 15 before it."""
        return sum(amount for part, amount in self.spends if part > self.part(now_ns) - 16)


class NaiveAgents(NaiveVenue):
    """Who speaks, and what an owner lets other keys do."""

    def __init__(self, limits: Sequence[int], shard: int, operator_key: bytes) -> None:
        """Start with nothing but limits and the operator's key."""
        super().__init__(limits, shard)
        self.speaker = 1
        self.keys = {operator_key: 1}
        self.agents: dict[int, NaiveAgent] = {}

    def _accountopen(self, command: c.AccountOpen) -> Outcome:
        outcome = super()._accountopen(command)
        self.keys[command.public_key] = len(self.keys) + 1
        return outcome

    def _require_listed(self, terms: a.AgentSet, market: NaiveMarket) -> None:
        event = next(number for number, one in self.events.items() if one is market.event)
        listed = [entry for entry in terms.allowed if entry]
        allowed = not listed or market.number in listed or event | EVENT_ENTRY in listed
        require(allowed, Code.AGENT_MARKET_NOT_ALLOWED)

    def _check_agent(self, agent: NaiveAgent, order: NaiveOrder, old: NaiveOrder | None) -> None:
        terms = agent.terms
        market = self.markets[order.market]
        self._require_listed(terms, market)
        tif = terms.times_in_force >> order.time_in_force & 1
        require(bool(tif), Code.AGENT_TIME_IN_FORCE_NOT_ALLOWED)
        dearer = order.price if order.buys else max(order.price, WHOLE - order.price)
        value = min(dearer * order.lots, order.budget)
        require(value <= terms.order_value, Code.AGENT_ORDER_TOO_LARGE)
        if not order.buys:
            return
        mine = [one for one in self.orders.values() if one.key == self.speaker and one is not old]
        exposure = sum(self._collateral(one) for one in mine)
        fresh = replace(order, rate_sum=0, fees_met=0, schedule=market.schedule)
        needed = self._collateral(fresh)
        committed = agent.spent(self.now_ns) + exposure + needed
        require(committed <= terms.spend, Code.AGENT_SPEND_EXCEEDED)
        require(exposure + needed <= terms.exposure, Code.AGENT_EXPOSURE_EXCEEDED)

    def _settle(
        self, order: NaiveOrder, yes_price: int, lots: int, bps: int, fill_id: int, side: Liquidity
    ) -> int:
        fee = super()._settle(order, yes_price, lots, bps, fill_id, side)
        agent = self.agents.get(order.key)
        if agent and order.buys:
            paid = order.in_own_terms(yes_price) * lots + fee
            agent.spends.append((agent.part(self.now_ns), paid))
        return fee

    def _agentset(self, command: a.AgentSet) -> Outcome:
        number = self.keys.get(command.public_key, 0)
        known, sender = self.agents.get(number), self.agents.get(self.speaker)
        if not number:
            require(not sender, Code.AGENT_ACTION_NOT_ALLOWED)
            require(len(self.keys) < self.limits[Limit.KEYS], Code.TOO_MANY_KEYS)
        else:
            require(not known or not known.revoked, Code.KEY_REVOKED)
            its = known is not None and known.terms.account == command.account
            require(its, Code.KEY_EXISTS)
            require(not sender or known is sender, Code.AGENT_ACTION_NOT_ALLOWED)
            if sender:
                tighter = self._is_tighter(sender.terms, command)
                require(tighter, Code.AGENT_MAY_ONLY_TIGHTEN)
        amounts = (command.order_value, command.spend, command.exposure)
        sound = all(0 <= amount <= MAX_SUPPLY for amount in amounts)
        sound &= SECOND_NS <= command.window_ns <= 366 * 86_400 * SECOND_NS
        sound &= 1 <= command.rate <= 10**6 and command.expiry_ns > self.now_ns
        sound &= 0 < command.times_in_force < 2**16 and all(one >= 0 for one in command.allowed)
        require(sound, Code.AGENT_TERMS_INVALID)
        self._holder(command.account)
        if known is None:
            agents = [one for one in self.agents.values() if one.terms.account == command.account]
            living = sum(not one.revoked for one in agents)
            require(living < self.limits[Limit.AGENTS_PER_ACCOUNT], Code.TOO_MANY_AGENTS)
            number = len(self.keys) + 1
            self.keys[command.public_key] = number
            self.agents[number] = NaiveAgent(command)
            return Outcome(Code.OK, number)
        if known.terms.window_ns != command.window_ns:
            counted = known.spent(self.now_ns)
            known.terms = command
            known.spends = [(known.part(self.now_ns), counted)]
        known.terms = command
        return Outcome(Code.OK, number)

    def _is_tighter(self, old: a.AgentSet, new: a.AgentSet) -> bool:
        fields = ("order_value", "spend", "exposure", "expiry_ns", "rate")
        smaller = all(getattr(new, name) <= getattr(old, name) for name in fields)
        tifs = new.times_in_force | old.times_in_force == old.times_in_force
        entries = [one for one in new.allowed if one]
        known = [one for one in old.allowed if one]
        wider = set(known)
        for number, market in self.markets.items():
            event = next(key for key, one in self.events.items() if one is market.event)
            if event | EVENT_ENTRY in known:
                wider.add(number)
        within = not known or (bool(entries) and set(entries) <= wider)
        return smaller and tifs and within and new.window_ns == old.window_ns

    def _agentrevoke(self, command: a.AgentRevoke) -> Outcome:
        number = self.keys.get(command.public_key, 0)
        known = self.agents.get(number)
        require(not known or not known.revoked, Code.KEY_REVOKED)
        require(self.speaker not in self.agents or number == self.speaker,
                Code.AGENT_ACTION_NOT_ALLOWED)  # fmt: skip
        its = known is not None and known.terms.account == command.account
        require(its, Code.UNKNOWN_AGENT)
        self.agents[number].revoked = True
        return Outcome(Code.OK, number)
