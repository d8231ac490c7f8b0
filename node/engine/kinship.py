"""Kinship: which accounts have one owner."""

from librt.strings import BytesWriter, write_i64_le
from mypy_extensions import i64

from node.engine.account import Account
from node.engine.fields import write_pair
from node.engine.pages import Page, Record


class Kinship(Record):
    """Whose subaccount an account is, or how many it has itself.

    Transfers among the accounts of one owner are numbered upwards; the owner's record has the last.
    """

    def __init__(self, account: Account, owner: i64, ordinal: i64) -> None:
        """Make the kinship of an owner (owner and ordinal 0) or of its subaccount `ordinal`."""
        self.account: Account = account
        self.owner: i64 = owner
        self.ordinal: i64 = ordinal
        self.subaccounts: i64 = 0
        self.last_transfer: i64 = 0
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.account.number, self.owner)
        write_pair(out, self.ordinal, self.subaccounts)
        write_i64_le(out, self.last_transfer)
