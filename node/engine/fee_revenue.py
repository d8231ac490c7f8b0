"""Where a fill's fees go: the maker's share of the taker's, and the rest to the fee account."""

from mypy_extensions import i64

from node.engine import ledger
from node.engine.fees import rebate
from node.engine.order import Order
from node.engine.state import State


def share_out(state: State, maker: Order, maker_fee: i64, taker_fee: i64, fill_id: i64) -> None:
    """Give away the fees of one fill, whose sides and treasury are touched."""
    if taker_fee > 0:
        given = rebate(maker, taker_fee)
        if given > 0:
            ledger.give_rebate(maker.account, given)
            state.writer.rebate_received(maker, fill_id, given)
            taker_fee -= given
    kept = maker_fee + taker_fee
    if kept == 0:
        return
    treasury = state.treasury
    account = treasury.fee_account
    if account is not None:
        state.touch(account.page)
    ledger.keep_fees(kept, treasury)
    if account is not None:
        state.writer.fees_received(account, maker.position.market.number, fill_id, kept)
