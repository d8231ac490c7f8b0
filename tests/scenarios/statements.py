"""The sentences of a transcript, and the commands that they mean."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from node.domain.limits import Limit
from node.domain.terms import AccountMode, Intent, OrderFlag, Role, SelfTrade, Side, TimeInForce
from tests import commands as c
from tests.scenarios.amounts import LOT_DIGITS, MICRO_DIGITS, PRICE_DIGITS, TIME_DIGITS, parse
from tests.venue_driver import OPERATOR_KEY, address_of, key_of

NOBODY = 999

INTENTS = {
    ("buys", "YES"): Intent.BUY_YES,
    ("sells", "YES"): Intent.SELL_YES,
    ("buys", "NO"): Intent.BUY_NO,
    ("sells", "NO"): Intent.SELL_NO,
}
TIMES_IN_FORCE = {
    "": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    "post-only": TimeInForce.POST_ONLY,
    "GTD": TimeInForce.GTD,
}
TERMS = re.compile(r" (until|accept by|spending) (\S+)")
TERM_FIELDS = {
    "until": ("expiry_ns", TIME_DIGITS),
    "accept by": ("accept_by_ns", TIME_DIGITS),
    "spending": ("spend", MICRO_DIGITS),
}
ODD_TERMS = ("flags", "self_trade")
SELF_TRADES = {
    "cancelling itself": SelfTrade.CANCEL_TAKER,
    "cancelling both": SelfTrade.CANCEL_BOTH,
}
LIFECYCLE: dict[str, type[c.Lifecycle]] = {
    "opens": c.MarketOpen,
    "halts": c.MarketHalt,
    "closes": c.MarketClose,
    "voids": c.MarketVoid,
}


@dataclass
class Names:
    """Who and what a transcript calls by name; a name that nobody has is number 999."""

    accounts: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    markets: dict[str, int] = field(default_factory=dict)
    schedules: dict[str, int] = field(default_factory=dict)
    orders: dict[str, int] = field(default_factory=dict)
    client_orders: dict[str, int] = field(default_factory=dict)
    next_client_order_id: int = 100
    key_number: Callable[[bytes], int] = field(default=lambda _: NOBODY)
    """Tells a key's number; the transcript knows its venue."""

    def account(self, name: str) -> int:
        """Return an account's number."""
        return self.accounts.get(name, NOBODY)

    def market(self, name: str | None) -> int:
        """Return a market's number, the first one's if none is named."""
        return self.markets.get(name, NOBODY) if name else 1

    def key(self, name: str) -> bytes:
        """Return a public key by its owner's name."""
        if name == "operator":
            return OPERATOR_KEY
        if name in self.accounts:
            return key_of(self.accounts[name])
        return name.encode().ljust(32, b"*")


@dataclass
class Meaning:
    """A command, and what to call the thing that it makes."""

    command: c.Command
    register: dict[str, int] | None = None
    name: str = ""


Handler = Callable[[Names, str, re.Match[str]], Meaning]
SENTENCES: list[tuple[re.Pattern[str], Handler]] = []


def sentence(pattern: str) -> Callable[[Handler], Handler]:
    """Make a handler the meaning of what `pattern` matches behind the speaker's name."""

    def register(handler: Handler) -> Handler:
        SENTENCES.append((re.compile(pattern), handler))
        return handler

    return register


def meaning(names: Names, speaker: str, text: str) -> Meaning:
    """Return what `speaker` says with `text`."""
    for pattern, handler in SENTENCES:
        if match := pattern.fullmatch(text):
            return handler(names, speaker, match)
    raise ValueError(f"no sentence reads: {speaker} {text}")


@sentence(
    r"(?:for (?P<owner>\w+) )?(?P<verb>buys|sells) (?P<size>\S+) (?P<token>YES|NO)"
    r"(?: of (?P<market>\w+))? @ (?P<price>\S+)(?: (?P<tif>IOC|FOK|post-only|GTD))?"
    r"(?P<terms>(?: (?:until|accept by|spending) \S+)*)(?P<reduce> reduce-only)?"
    r"(?: (?P<self>cancelling (?:itself|both)))?"
    r"(?P<pausing> cancel on pause)?"
    r"(?: in group (?P<group>-?\d+))?"
    r"(?: as (?P<label>\w+))?(?P<odd>(?: \w+=-?\d+)*)"
)
def _place(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    odd = {key: int(value) for key, value in re.findall(r"(\w+)=(-?\d+)", match["odd"])}
    label = match["label"] or ""
    names.next_client_order_id += 1
    client_order_id = odd.get("client_id", names.next_client_order_id)
    names.client_orders[label] = client_order_id
    terms = {}
    for word, value in TERMS.findall(match["terms"]):
        name, digits = TERM_FIELDS[word]
        terms[name] = parse(value, digits)
    if match["reduce"]:
        terms["flags"] = OrderFlag.REDUCE_ONLY
    if match["self"]:
        terms["self_trade"] = SELF_TRADES[match["self"]]
    if match["pausing"]:
        terms["flags"] = int(OrderFlag.CANCEL_ON_PAUSE)
    if match["group"]:
        terms["group"] = int(match["group"])
    terms |= {name: odd[name] for name in ODD_TERMS if name in odd}
    command = c.PlaceWithTerms(
        names.account(match["owner"] or speaker),
        names.market(match["market"]),
        odd.get("intent", INTENTS[match["verb"], match["token"]]),
        parse(match["price"], PRICE_DIGITS),
        parse(match["size"], LOT_DIGITS),
        client_order_id,
        odd.get("tif", TIMES_IN_FORCE[match["tif"] or ""]),
        **terms,
    )
    if not terms:
        return Meaning(command.plain(), names.orders, label)
    return Meaning(command, names.orders, label)


@sentence(r"(?:for (?P<owner>\w+) )?cancels (?P<by>client id of )?(?P<label>(?!everything)\w+)")
def _cancel(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    return Meaning(c.Cancel(account, 1, *ids_of(names, match)))


def ids_of(names: Names, match: re.Match[str]) -> tuple[int, int]:
    """Return how a sentence names an order: (id, 0) or (0, client order id)."""
    if match["by"]:
        return 0, names.client_orders.get(match["label"], NOBODY)
    return names.orders.get(match["label"], NOBODY), 0


@sentence(r"reduces (?P<by>client id of )?(?P<label>\w+) by (?P<size>\S+)")
def _reduce(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    lots = parse(match["size"], LOT_DIGITS)
    return Meaning(c.Reduce(names.account(speaker), 1, lots, *ids_of(names, match)))


@sentence(
    r"(?:for (?P<owner>\w+) )?cancels (?:everything|all (?P<side>bids|asks|sides))"
    r"(?: in (?P<market>\w+))?(?: of event (?P<event>\w+))?"
)
def _cancel_all(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(match["owner"] or speaker)
    market = names.market(match["market"]) if match["market"] else 0
    event = names.events.get(match["event"], NOBODY) if match["event"] else 0
    side = {None: 0, "bids": Side.BID, "asks": Side.ASK, "sides": 3}[match["side"]]
    return Meaning(c.CancelAll(account, market, event, side))


@sentence(r"(?:for (?P<owner>\w+) )?(?P<verb>splits|merges) (?P<size>\S+)(?: of (?P<market>\w+))?")
def _sets(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    kind = c.Split if match["verb"] == "splits" else c.Merge
    account, market = names.account(match["owner"] or speaker), names.market(match["market"])
    return Meaning(kind(account, market, parse(match["size"], LOT_DIGITS)))


@sentence(r"redeems(?: (?P<market>\w+))?")
def _redeem(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    return Meaning(c.Redeem(names.account(speaker), names.market(match["market"])))


@sentence(
    r"opens account (?P<name>\w+)(?: mode (?P<mode>\w+))?"
    r"(?: address of (?P<address>\w+))?(?: key of (?P<key>\w+))?"
)
def _open_account(names: Names, _: str, match: re.Match[str]) -> Meaning:
    number = len(names.accounts) + 1
    owner = names.accounts.get(match["address"], number)
    key = names.key(match["key"]) if match["key"] else key_of(number)
    mode = AccountMode.__members__.get(match["mode"] or "NET", 9)
    command = c.AccountOpen(address_of(owner), key, mode)
    return Meaning(command, names.accounts, match["name"])


@sentence(r"deposits (?P<amount>\S+) to (?P<name>\w+) at cursor (?P<cursor>-?\d+)")
def _deposit(names: Names, _: str, match: re.Match[str]) -> Meaning:
    amount = parse(match["amount"], MICRO_DIGITS)
    return Meaning(c.Deposit(names.account(match["name"]), amount, int(match["cursor"])))


@sentence(r"creates (?P<kind>exclusive |augmented )?event (?P<name>\w+|\"\")")
def _create_event(names: Names, _: str, match: re.Match[str]) -> Meaning:
    name = match["name"].strip('"')
    exclusive = {"exclusive ": 1, "augmented ": 2}.get(match["kind"], 0)
    return Meaning(c.EventCreate(name.encode(), exclusive), names.events, name)


@sentence(
    r"creates market (?P<name>\w+|\"\") in (?P<event>\w+)(?: tick (?P<tick>\S+))?"
    r"(?: taker fee (?P<taker>-?\d+))?(?: maker fee (?P<maker>-?\d+))?"
)
def _create_market(names: Names, _: str, match: re.Match[str]) -> Meaning:
    name = match["name"].strip('"')
    command = c.MarketCreate(
        names.events.get(match["event"], NOBODY),
        parse(match["tick"] or "0.01", PRICE_DIGITS),
        int(match["taker"] or 0),
        int(match["maker"] or 0),
        name.encode(),
    )
    return Meaning(command, names.markets, name)


@sentence(r"(?P<verb>opens|halts|closes|voids) (?P<market>\w+)")
def _lifecycle(names: Names, _: str, match: re.Match[str]) -> Meaning:
    return Meaning(LIFECYCLE[match["verb"]](names.market(match["market"])))


@sentence(r"resolves (?P<market>\w+) at (?P<price>\S+)")
def _resolve(names: Names, _: str, match: re.Match[str]) -> Meaning:
    price = parse(match["price"], PRICE_DIGITS)
    return Meaning(c.MarketResolve(names.market(match["market"]), price))


@sentence(r"grants (?P<name>\w+) the role (?P<role>\w+)(?: for (?P<account>\w+))?")
def _grant(names: Names, _: str, match: re.Match[str]) -> Meaning:
    role = Role.__members__.get(match["role"], 9)
    account = names.account(match["account"]) if match["account"] else 0
    return Meaning(c.KeyGrant(names.key(match["name"]), role, account))


@sentence(r"revokes the key of (?P<name>\w+)")
def _revoke(names: Names, _: str, match: re.Match[str]) -> Meaning:
    return Meaning(c.KeyRevoke(names.key(match["name"])))


@sentence(r"sets (?P<limit>\w+) to (?P<value>-?\d+)")
def _configure(_: Names, __: str, match: re.Match[str]) -> Meaning:
    limit = Limit.__members__.get(match["limit"].upper(), NOBODY)
    return Meaning(c.Configure(limit, int(match["value"])))


@sentence(r"asks for a checkpoint")
def _checkpoint(_: Names, __: str, ___: re.Match[str]) -> Meaning:
    return Meaning(c.Checkpoint())


@sentence(r"sends type (?P<kind>-?\d+) with (?P<size>\d+) bytes")
def _raw(names: Names, speaker: str, match: re.Match[str]) -> Meaning:
    account = names.account(speaker)
    return Meaning(c.Shaped(int(match["kind"]), int(match["size"]), account))
