"""Answers from the venue as this node has applied it.

Canonical records, cut to the size of one answer.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from node.domain import limits, records
from node.domain.limits import LIMIT_COUNT
from node.engine.account import Account
from node.engine.market import Market
from node.engine.order import Order
from node.engine.order_list import OrderList
from node.engine.ownership import owner_of
from node.engine.pages import Record
from node.engine.reading import clearing_bytes, depth_bytes, record_bytes
from node.engine.venue import Venue
from node.gateway.restraints import pauses_after, stops_after
from node.gateway.seams import Depth, Found, KeyView, SessionView
from node.protocol import messages

_CURSOR_SHIFT: Final = 46
"""A cursor over an account's orders is the place of the position among those asked for.

Then the sequence of the last order seen there; among asks, which come behind bids, it is negative.
"""
_CURSOR_MASK: Final = (1 << _CURSOR_SHIFT) - 1
_ASKS: Final = -(1 << 63)
_GROUPS: Final = limits.LIMIT_RANGES[limits.ORDER_GROUPS_PER_ACCOUNT].most
"""No group of orders has a larger number."""
_VENUE_SIZE: Final = records.VENUE_LIMITS + 8 * LIMIT_COUNT


class VenueReads:
    """The gateway's view of a venue. Nothing here waits, and nothing changes anything."""

    def __init__(self, venue: Venue) -> None:
        """Read from `venue`; `replace` it when a snapshot took its place."""
        self._venue = venue

    def replace(self, venue: Venue) -> None:
        """Read from another venue from now on."""
        self._venue = venue

    @property
    def log_index(self) -> int:
        """Return the last index applied."""
        return self._venue.log_index

    @property
    def stamp_ns(self) -> int:
        """Return the venue's time."""
        return self._venue.stamp_ns

    def key_by_public(self, public_key: bytes) -> KeyView | None:
        """Return the key with these bytes."""
        return self._venue.key_by_public(public_key)

    def session(self, number: int) -> SessionView | None:
        """Return the session with this number."""
        return self._venue.session(number)

    @property
    def disconnect_ms(self) -> int:
        """How long a client may be gone before its session gives up its orders."""
        return self._venue.state.limits[limits.DISCONNECT_MS]

    def watched_sessions(self) -> dict[int, int]:
        """Return the next sequence of each session that gives up orders when its client goes."""
        watched = self._venue.state.watched_sessions
        return {number: session.next_sequence for number, session in watched.items()}

    def acts_for(self, key: KeyView, account: int) -> bool:
        """Return whether a trader's key may know of the account: its own, or its subaccount."""
        found = self._venue.account(account)
        return found is not None and key.account in {account, owner_of(found)}

    def stream_sequence(self, feed: int, stream: int) -> int | None:
        """Return the newest sequence of a stream, 0 for all streams of a feed.

        None when there is no such stream.
        """
        if feed == messages.VENUE:
            return self._venue.state.writer.venue_sequence if stream == 0 else None
        if stream == 0:
            return 0
        owner = (
            self._venue.account(stream)
            if feed == messages.EXECUTIONS
            else self._venue.market(stream)
        )
        return None if owner is None else owner.stream_sequence

    def depth(self, market: int) -> Depth | None:
        """Return every level of a market's book."""
        found = self._venue.market(market)
        if found is None:
            return None
        return Depth(found.stream_sequence, depth_bytes(found, 20_000))

    def find(
        self, subject: int, number: int, identifier: int, cursor: int, most_bytes: int
    ) -> Found | None:
        """Return what a query asks for, from `cursor` on, within `most_bytes`.

        None when it does not exist.
        """
        if subject in _SIZES:
            record = self._one(subject, number, identifier)
            return None if record is None else Found(_SIZES[subject], 1, record_bytes(record), 0)
        if subject == messages.DEPTH:
            return self._depth(number, most_bytes)
        if subject == messages.CLEARING:
            return self._clearing(number)
        if subject == messages.POSITIONS:
            return self._positions(number, cursor, most_bytes)
        if subject == messages.OPEN_ORDERS:
            return self._open_orders(number, identifier, cursor, most_bytes)
        if subject == messages.ORDER_GROUPS:
            return self._order_groups(number, cursor, most_bytes)
        if subject in {messages.PAUSES, messages.STOPS}:
            return self._restraints(subject, cursor, most_bytes)
        return self._numbered(subject, number, cursor, most_bytes)

    def preview(self, order: bytes, key: int) -> bytes:
        """Return the record of what the order in a PLACE_WITH_TERMS frame would come to now.

        As if the key with this number sent it.
        """
        return self._venue.preview(order, 0, key).record(self._venue.stamp_ns)

    def _one(self, subject: int, number: int, identifier: int) -> Record | None:
        venue = self._venue
        if subject == messages.ACCOUNT:
            return venue.account(number)
        if subject == messages.MARKET:
            return venue.market(number)
        if subject in _OF_MARKETS:
            market = venue.market(number)
            return None if market is None else _OF_MARKETS[subject](market)
        if subject == messages.EVENT:
            return venue.event(number)
        if subject == messages.TREASURY:
            return venue.state.treasury
        if subject == messages.STATUS:
            return venue.state
        if subject == messages.ORDER:
            order = venue.state.orders.get(identifier)
            return order if order is None or number in {0, order.account.number} else None
        account = venue.account(number)
        return None if account is None else account.orders_by_client.get(identifier)

    def _depth(self, market: int, most_bytes: int) -> Found | None:
        found = self._venue.market(market)
        if found is None:
            return None
        # Rounds down: what fits on each side.
        levels = depth_bytes(found, most_bytes // (2 * records.LEVEL_SIZE))
        return Found(records.LEVEL_SIZE, len(levels) // records.LEVEL_SIZE, levels, 0)

    def _clearing(self, market: int) -> Found | None:
        found = self._venue.market(market)
        if found is None:
            return None
        record = clearing_bytes(found)
        return Found(records.CLEARING_SIZE, len(record) // records.CLEARING_SIZE, record, 0)

    def _positions(self, number: int, cursor: int, most_bytes: int) -> Found | None:
        account = self._venue.account(number)
        if account is None or cursor < 0:
            return None
        most = most_bytes // records.POSITION_SIZE  # Rounds down: whole records.
        chosen = account.position_list[cursor : cursor + most]
        after = cursor + len(chosen)
        return Found(
            records.POSITION_SIZE,
            len(chosen),
            b"".join(record_bytes(position) for position in chosen),
            after if after < len(account.position_list) else 0,
        )

    def _numbered(self, subject: int, number: int, cursor: int, most_bytes: int) -> Found | None:
        """Return accounts, events, markets or fee schedules with numbers above `cursor`.

        `number` picks an event's markets.
        """
        if subject == messages.MARKETS and number:
            return self._markets_of(number, cursor, most_bytes)
        state = self._venue.state
        listed: Sequence[Record | None]
        if subject == messages.MARKETS:
            listed, size = state.markets, records.MARKET_SIZE
        elif subject == messages.EVENTS:
            listed, size = state.events, records.EVENT_SIZE
        elif subject == messages.ACCOUNTS:
            listed, size = state.accounts, records.ACCOUNT_SIZE
        elif subject == messages.SCHEDULES:
            listed, size = state.schedules, records.SCHEDULE_SIZE
        else:
            return None
        first = max(cursor, 0) + 1
        after = first + most_bytes // size  # Rounds down: whole records.
        parts = [record_bytes(record) for record in listed[first:after] if record is not None]
        return Found(size, len(parts), b"".join(parts), after - 1 if after < len(listed) else 0)

    def _markets_of(self, number: int, cursor: int, most_bytes: int) -> Found | None:
        event = self._venue.event(number)
        if event is None:
            return None
        first = bisect_right(event.markets, cursor, key=lambda market: market.number)
        after = first + most_bytes // records.MARKET_SIZE  # Rounds down: whole records.
        chosen = event.markets[first:after]
        return Found(
            records.MARKET_SIZE,
            len(chosen),
            b"".join(record_bytes(market) for market in chosen),
            chosen[-1].number if after < len(event.markets) else 0,
        )

    def _open_orders(self, number: int, market: int, cursor: int, most_bytes: int) -> Found | None:
        """Return an account's resting orders: in each market bids, then asks, oldest first.

        `market` 0 means all.
        """
        account = self._venue.account(number)
        if account is None:
            return None
        most = most_bytes // records.ORDER_SIZE  # Rounds down: whole records.
        parts: list[bytes] = []
        last = cursor
        for place, order in self._orders_after(account, market, cursor):
            if len(parts) == most:
                return Found(records.ORDER_SIZE, most, b"".join(parts), last)
            parts.append(record_bytes(order))
            last = place << _CURSOR_SHIFT | (order.id & _CURSOR_MASK)
            if not order.is_bid:
                last += _ASKS
        return Found(records.ORDER_SIZE, len(parts), b"".join(parts), 0)

    def _order_groups(self, number: int, cursor: int, most_bytes: int) -> Found | None:
        """Return an account's groups of orders with numbers above `cursor`."""
        if self._venue.account(number) is None or cursor < 0:
            return None
        groups = self._venue.state.registers.order_groups
        most = most_bytes // records.GROUP_SIZE  # Rounds down: whole records.
        found = [groups.get(number, one) for one in range(cursor + 1, _GROUPS + 1)]
        listed = [group for group in found if group is not None]
        chosen = listed[:most]
        return Found(
            records.GROUP_SIZE,
            len(chosen),
            b"".join(record_bytes(group) for group in chosen),
            chosen[-1].number if most < len(listed) else 0,
        )

    def _restraints(self, subject: int, cursor: int, most_bytes: int) -> Found:
        """Return pauses or stops that are on, with numbers above `cursor`."""
        of_pauses = subject == messages.PAUSES
        size = records.PAUSE_SIZE if of_pauses else records.STOP_SIZE
        after = pauses_after if of_pauses else stops_after
        # Rounds down: whole records.
        found, cursor = after(self._venue.state, cursor, most_bytes // size)
        return Found(size, len(found), b"".join(record_bytes(one) for one in found), cursor)

    def _orders_after(
        self, account: Account, market: int, cursor: int
    ) -> Iterator[tuple[int, Order]]:
        positions = account.position_list
        if market:
            chosen = account.positions.get(market)
            positions = [] if chosen is None else [chosen]
        among_asks = cursor < 0
        first_place = (cursor - _ASKS if among_asks else cursor) >> _CURSOR_SHIFT
        for place in range(first_place, len(positions)):
            position = positions[place]
            after = cursor & _CURSOR_MASK if place == first_place else 0
            if not (among_asks and place == first_place):
                yield from self._listed_after(place, position.bids, after)
                after = 0
            yield from self._listed_after(place, position.asks, after)

    def _listed_after(
        self, place: int, listed: OrderList, after: int
    ) -> Iterator[tuple[int, Order]]:
        state = self._venue.state
        seen = state.orders.get(state.id_base | after) if after else None
        goes_on = seen is not None and seen.position.listed(seen) is listed
        order = seen.newer if seen is not None and goes_on else listed.first
        while order is not None:
            if order.id & _CURSOR_MASK > after:
                yield place, order
            order = order.newer


_SIZES: Final = {
    messages.ACCOUNT: records.ACCOUNT_SIZE,
    messages.MARKET: records.MARKET_SIZE,
    messages.RULES: records.RULES_SIZE,
    messages.MARKET_TIMES: records.TIMES_SIZE,
    messages.RESOLUTION: records.RESOLUTION_SIZE,
    messages.EVENT: records.EVENT_SIZE,
    messages.TREASURY: records.TREASURY_SIZE,
    messages.STATUS: _VENUE_SIZE,
    messages.ORDER: records.ORDER_SIZE,
    messages.ORDER_BY_CLIENT_ID: records.ORDER_SIZE,
}
_OF_MARKETS: Final[dict[int, Callable[[Market], Record | None]]] = {
    messages.RULES: lambda market: market.rules,
    messages.MARKET_TIMES: lambda market: market.times,
    messages.RESOLUTION: lambda market: market.resolution,
}
