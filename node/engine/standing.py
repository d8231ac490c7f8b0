"""Loading the records that say how accounts and keys stand, from a snapshot's pages."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import records
from node.engine.fields import i32_at
from node.engine.kinship import Kinship
from node.engine.state import State
from node.engine.withdrawal import Withdrawal


def load_standing(state: State, kind: i64, value: bytes, at: i64) -> str:
    """Load one record; return what is wrong with it, "" for nothing."""
    if kind == records.KINSHIP:
        return load_kinship(state, value, at)
    return load_withdrawal(state, value, at)


def load_kinship(state: State, value: bytes, at: i64) -> str:
    """Load a KINSHIP record."""
    account = state.account(i32_at(value, at + records.KINSHIP_ACCOUNT))
    if account is None:
        return "a record's account is missing"
    owner = i32_at(value, at + records.KINSHIP_OWNER)
    kinship = Kinship(account, owner, i32_at(value, at + records.KINSHIP_ORDINAL))
    kinship.subaccounts = i32_at(value, at + records.KINSHIP_SUBACCOUNTS)
    kinship.last_transfer = read_i64_le(value, at + records.KINSHIP_LAST_TRANSFER)
    state.add_kinship(kinship)
    return ""


def load_withdrawal(state: State, value: bytes, at: i64) -> str:
    """Load a WITHDRAWAL record."""
    account = state.account(i32_at(value, at + records.WITHDRAWAL_ACCOUNT))
    if account is None:
        return "a record's account is missing"
    state.withdrawals.add(
        Withdrawal(
            read_i64_le(value, at + records.WITHDRAWAL_ID),
            account,
            read_i64_le(value, at + records.WITHDRAWAL_AMOUNT),
        )
    )
    return ""
