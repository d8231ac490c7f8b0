"""The treasury: money that belongs to no account, and the counters that hand out ids."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.account import Account
from node.engine.fields import write_pair
from node.engine.pages import Page, Record


class Treasury(Record):
    """Sums in micro-USDC.

    Deposits - withdrawn = cash of all accounts + pending withdrawals + collateral of all markets +
    fees, always.
    """

    def __init__(self) -> None:
        """Start with nothing deposited and nothing numbered."""
        self.deposits: i64 = 0
        self.fees: i64 = 0
        self.deposit_cursor: i64 = 0
        self.collateral: i64 = 0
        self.orders: i64 = 0
        self.fills: i64 = 0
        self.accounts: i64 = 0
        self.events: i64 = 0
        self.markets: i64 = 0
        self.positions: i64 = 0
        self.schedules: i64 = 0
        # Where fees go; the treasury keeps them until an account is named.
        self.fee_account: Account | None = None
        # What has left, what is locked to leave, and how many requests there were.
        self.withdrawn: i64 = 0
        self.pending: i64 = 0
        self.withdrawals: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.deposits)
        write_i64_le(out, self.fees)
        write_i64_le(out, self.deposit_cursor)
        write_i64_le(out, self.collateral)
        write_i64_le(out, self.orders)
        write_i64_le(out, self.fills)
        write_pair(out, self.accounts, self.events)
        write_pair(out, self.markets, self.positions)
        account = self.fee_account
        write_pair(out, 0 if account is None else account.number, self.schedules)
        write_i64_le(out, self.withdrawn)
        write_i64_le(out, self.pending)
        write_i64_le(out, self.withdrawals)
