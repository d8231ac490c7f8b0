"""Commands into frames, many at a time: what a client's order entry and a load generator write."""

from typing import Final

from librt.strings import BytesWriter, read_i64_le, write_i16_le, write_i32_le, write_i64_le
from mypy_extensions import i16, i32, i64

from node.domain import commands
from node.domain.identifiers import ADDRESS_SIZE, PUBLIC_KEY_SIZE
from node.protocol.names import pad_name
from node.protocol.owner_frames import OwnerFrames

UNSEQUENCED: Final = 0


class CommandFrames(OwnerFrames):
    """Frames of every command; those about an owner's accounts are inherited.

    Arguments are not checked against the venue's rules: that is the venue's part.
    """

    def place(
        self,
        account: i64,
        market: i64,
        client_order_id: i64,
        price: i64,
        intent: i64,
        time_in_force: i64,
        lots: i64,
    ) -> None:
        """Write a PLACE."""
        self._begin(commands.PLACE_SIZE, commands.PLACE)
        self._order(account, market, client_order_id, price, intent, time_in_force, lots)

    def _order(
        self,
        account: i64,
        market: i64,
        client_order_id: i64,
        price: i64,
        intent: i64,
        time_in_force: i64,
        lots: i64,
    ) -> BytesWriter:
        out = self._out
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i64_le(out, client_order_id)
        write_i32_le(out, i32(price))
        write_i16_le(out, i16(intent))
        write_i16_le(out, i16(time_in_force))
        write_i64_le(out, lots)
        return out

    def place_with_terms(  # noqa: PLR0913, PLR0917 - as many as the frame has fields
        self,
        account: i64,
        market: i64,
        client_order_id: i64,
        price: i64,
        intent: i64,
        time_in_force: i64,
        lots: i64,
        expiry_ns: i64 = 0,
        accept_by_ns: i64 = 0,
        self_trade: i64 = 0,
        flags: i64 = 0,
        spend: i64 = 0,
        group: i64 = 0,
    ) -> None:
        """Write a PLACE_WITH_TERMS; times are of the log, 0 for none; `flags` of `OrderFlag`."""
        self._begin(commands.TERMS_SIZE, commands.PLACE_WITH_TERMS)
        out = self._order(account, market, client_order_id, price, intent, time_in_force, lots)
        write_i64_le(out, expiry_ns)
        write_i64_le(out, accept_by_ns)
        write_i64_le(out, spend)
        write_i32_le(out, i32(flags))
        write_i32_le(out, i32(group))
        write_i64_le(out, self_trade)

    def cancel(self, account: i64, market: i64, order_id: i64, client_order_id: i64) -> None:
        """Write a CANCEL of the order with `order_id`, or with `client_order_id` when that is 0."""
        out = self._begin(commands.CANCEL_SIZE, commands.CANCEL)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i64_le(out, order_id)
        write_i64_le(out, client_order_id)

    def reduce(
        self, account: i64, market: i64, order_id: i64, client_order_id: i64, lots: i64
    ) -> None:
        """Write a REDUCE by `lots` of an order named as in `cancel`."""
        out = self._begin(commands.REDUCE_SIZE, commands.REDUCE)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i64_le(out, order_id)
        write_i64_le(out, client_order_id)
        write_i64_le(out, lots)

    def amend(
        self,
        account: i64,
        market: i64,
        order_id: i64,
        client_order_id: i64,
        price: i64,
        lots: i64,
    ) -> None:
        """Write an AMEND, to a price and a total size, of an order named as in `cancel`.

        0 leaves either as it is.
        """
        out = self._begin(commands.AMEND_SIZE, commands.AMEND)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i64_le(out, order_id)
        write_i64_le(out, client_order_id)
        write_i32_le(out, i32(price))
        write_i32_le(out, 0)
        write_i64_le(out, lots)

    def replace(
        self,
        account: i64,
        market: i64,
        order_id: i64,
        client_order_id: i64,
        price: i64,
        lots: i64,
        new_client_order_id: i64,
    ) -> None:
        """Write a REPLACE of an order named as in `cancel`; price and total size as in `amend`."""
        out = self._begin(commands.REPLACE_SIZE, commands.REPLACE)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i64_le(out, order_id)
        write_i64_le(out, client_order_id)
        write_i32_le(out, i32(price))
        write_i32_le(out, 0)
        write_i64_le(out, lots)
        write_i64_le(out, new_client_order_id)

    def quote(self, account: i64, legs: list[tuple[int, int, int, int, int, int, int]]) -> None:
        """Write a QUOTE of up to 8 legs.

        A leg is (market, price, intent, flags, lots, client_order_id, old_client_order_id).
        """
        out = self._begin(commands.QUOTE_SIZE, commands.QUOTE)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(len(legs)))
        for market, price, intent, flags, lots, name, old in legs:
            write_i32_le(out, i32(market))
            write_i32_le(out, i32(price))
            write_i64_le(out, intent | (flags << 16))
            write_i64_le(out, lots)
            write_i64_le(out, name)
            write_i64_le(out, old)
        out.write(bytes(commands.LEG_SIZE * (commands.QUOTE_LEGS - len(legs))))

    def cancel_all(self, account: i64, market: i64, event: i64, side: i64) -> None:
        """Write a CANCEL_ALL of the account's orders in `market`, or in all of `event`.

        With neither (0) in all markets; `side` is of the YES book, 0 for both.
        """
        out = self._begin(commands.CANCEL_ALL_SIZE, commands.CANCEL_ALL)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i32_le(out, i32(event))
        write_i32_le(out, i32(side))

    def order_group_set(self, account: i64, number: i64, lots: i64) -> None:
        """Write an ORDER_GROUP_SET of the group's limit, 0 to delete it."""
        out = self._begin(commands.ORDER_GROUP_SET_SIZE, commands.ORDER_GROUP_SET)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(number))
        write_i64_le(out, lots)

    def order_group(self, kind: i64, account: i64, number: i64) -> None:
        """Write an ORDER_GROUP_RESET or ORDER_GROUP_TRIGGER."""
        assert commands.ORDER_GROUP_RESET <= kind <= commands.ORDER_GROUP_TRIGGER
        out = self._begin(commands.ORDER_GROUP_SIZE, kind)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(number))

    def split(self, account: i64, market: i64, lots: i64) -> None:
        """Write a SPLIT of cash into `lots` complete sets."""
        out = self._begin(commands.SETS_SIZE, commands.SPLIT)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i64_le(out, lots)

    def merge(self, account: i64, market: i64, lots: i64) -> None:
        """Write a MERGE of `lots` complete sets into cash."""
        out = self._begin(commands.SETS_SIZE, commands.MERGE_SETS)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))
        write_i64_le(out, lots)

    def redeem(self, account: i64, market: i64) -> None:
        """Write a REDEEM of all shares in a settled `market`."""
        out = self._begin(commands.REDEEM_SIZE, commands.REDEEM)
        write_i32_le(out, i32(account))
        write_i32_le(out, i32(market))

    def account_open(self, mode: i64, address: bytes, public_key: bytes) -> None:
        """Write an ACCOUNT_OPEN that also registers the trader's key."""
        assert len(address) == ADDRESS_SIZE
        assert len(public_key) == PUBLIC_KEY_SIZE
        out = self._begin(commands.ACCOUNT_OPEN_SIZE, commands.ACCOUNT_OPEN)
        write_i64_le(out, mode)
        out.write(address)
        write_i32_le(out, 0)
        out.write(public_key)

    def deposit(self, account: i64, amount: i64, cursor: i64) -> None:
        """Write a DEPOSIT of `amount` micro-USDC, the venue's deposit number `cursor`."""
        out = self._begin(commands.DEPOSIT_SIZE, commands.DEPOSIT)
        write_i32_le(out, i32(account))
        write_i32_le(out, 0)
        write_i64_le(out, amount)
        write_i64_le(out, cursor)

    def event_create(self, exclusive: i64, name: str) -> None:
        """Write an EVENT_CREATE of an `EventKind`."""
        out = self._begin(commands.EVENT_CREATE_SIZE, commands.EVENT_CREATE)
        write_i64_le(out, exclusive)
        out.write(pad_name(name))

    def market_create(
        self, event: i64, tick: i64, taker_fee_bps: i64, maker_fee_bps: i64, name: str
    ) -> None:
        """Write a MARKET_CREATE."""
        out = self._begin(commands.MARKET_CREATE_SIZE, commands.MARKET_CREATE)
        write_i32_le(out, i32(event))
        write_i32_le(out, i32(tick))
        write_i32_le(out, i32(taker_fee_bps))
        write_i32_le(out, i32(maker_fee_bps))
        out.write(pad_name(name))

    def key_grant(self, role: i64, account: i64, public_key: bytes) -> None:
        """Write a KEY_GRANT."""
        self._key(commands.KEY_GRANT, role, account, public_key)

    def key_revoke(self, public_key: bytes) -> None:
        """Write a KEY_REVOKE."""
        self._key(commands.KEY_REVOKE, 0, 0, public_key)

    def _key(self, kind: i64, role: i64, account: i64, public_key: bytes) -> None:
        assert len(public_key) == PUBLIC_KEY_SIZE
        out = self._begin(commands.KEY_SIZE, kind)
        write_i32_le(out, i32(role))
        write_i32_le(out, i32(account))
        out.write(public_key)

    def configure(self, limit: i64, value: i64) -> None:
        """Write a CONFIGURE of one `Limit`."""
        out = self._begin(commands.CONFIGURE_SIZE, commands.CONFIGURE)
        write_i64_le(out, limit)
        write_i64_le(out, value)

    def checkpoint(self) -> None:
        """Write a CHECKPOINT."""
        self._begin(commands.CHECKPOINT_SIZE, commands.CHECKPOINT)

    def schedule_create(
        self, shape: i64, taker_bps: i64, maker_bps: i64, rebate_bps: i64, cap: i64
    ) -> None:
        """Write a SCHEDULE_CREATE; `cap` is in micro-USDC an order, 0 for none."""
        out = self._begin(commands.SCHEDULE_CREATE_SIZE, commands.SCHEDULE_CREATE)
        write_i32_le(out, i32(shape))
        write_i32_le(out, i32(rebate_bps))
        write_i32_le(out, i32(taker_bps))
        write_i32_le(out, i32(maker_bps))
        write_i64_le(out, cap)

    def schedule_assign(self, market: i64, schedule: i64) -> None:
        """Write a SCHEDULE_ASSIGN."""
        out = self._begin(commands.SCHEDULE_ASSIGN_SIZE, commands.SCHEDULE_ASSIGN)
        write_i32_le(out, i32(market))
        write_i32_le(out, i32(schedule))

    def grid_set(
        self,
        market: i64,
        tick: i64,
        edge: i64 = 0,
        edge_tick: i64 = 0,
        min_lots: i64 = 0,
        min_value: i64 = 0,
    ) -> None:
        """Write a GRID_SET."""
        out = self._begin(commands.GRID_SET_SIZE, commands.GRID_SET)
        write_i32_le(out, i32(market))
        write_i32_le(out, i32(tick))
        write_i32_le(out, i32(edge))
        write_i32_le(out, i32(edge_tick))
        write_i64_le(out, min_lots)
        write_i64_le(out, min_value)

    def guards_set(
        self, market: i64, reference: i64, band: i64, move: i64, window_ns: i64, pause_ns: i64
    ) -> None:
        """Write a GUARDS_SET; what is 0 is no guard, or leaves the reference as it is."""
        out = self._begin(commands.GUARDS_SET_SIZE, commands.GUARDS_SET)
        write_i32_le(out, i32(market))
        write_i32_le(out, i32(reference))
        write_i32_le(out, i32(band))
        write_i32_le(out, i32(move))
        write_i64_le(out, window_ns)
        write_i64_le(out, pause_ns)

    def fee_account_name(self, account: i64) -> None:
        """Write a FEE_ACCOUNT_NAME."""
        out = self._begin(commands.FEE_ACCOUNT_NAME_SIZE, commands.FEE_ACCOUNT_NAME)
        write_i64_le(out, account)


def renumber(frames: bytes, first_sequence: i64) -> bytes:
    """Return whole command frames, numbered from `first_sequence` on."""
    out = BytesWriter()
    size: i64 = len(frames)
    offset: i64 = 0
    sequence = first_sequence
    while offset < size:
        header = read_i64_le(frames, offset)
        end = offset + (header & 0x7FFFFFFF)
        write_i64_le(out, header)
        write_i64_le(out, sequence)
        offset += commands.COMMAND_BODY
        while offset < end:
            write_i64_le(out, read_i64_le(frames, offset))
            offset += 8
        sequence += 1
    return out.getvalue()


def bytes_of_frames(frames: bytes, count: i64) -> i64:
    """Return how many bytes the first `count` frames of `frames` are."""
    size: i64 = len(frames)
    offset: i64 = 0
    while count > 0 and offset < size:
        offset += read_i64_le(frames, offset) & 0x7FFFFFFF
        count -= 1
    return offset
