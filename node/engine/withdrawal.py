"""Requests to withdraw that wait for an answer."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.domain.records import WITHDRAWAL
from node.engine.account import Account
from node.engine.pages import Page, Pages, PageTable, Record


class Withdrawal(Record):
    """Cash that is locked, in neither part of its account's balance, until it leaves or returns."""

    def __init__(self, number: i64, account: Account, amount: i64) -> None:
        """Make a request that is on no page yet."""
        self.id: i64 = number
        self.account: Account = account
        self.amount: i64 = amount
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_i64_le(out, self.id)
        write_i64_le(out, self.account.number)
        write_i64_le(out, self.amount)


class Withdrawals:
    """The open requests by id."""

    def __init__(self, pages: Pages) -> None:
        """Start empty."""
        self.table: PageTable = PageTable(pages, WITHDRAWAL)

    def add(self, withdrawal: Withdrawal) -> None:
        """Index a request; its account's page is touched or will be."""
        withdrawal.page = self.table.put(withdrawal.id, withdrawal)
        withdrawal.account.withdrawal_count += 1

    def remove(self, withdrawal: Withdrawal) -> None:
        """Forget a request that has been answered."""
        self.table.drop(withdrawal.id)
        withdrawal.account.withdrawal_count -= 1

    def get(self, number: i64) -> Withdrawal | None:
        """Return the open request with this id, or None."""
        record = self.table.get(number)
        if isinstance(record, Withdrawal):
            return record
        return None
