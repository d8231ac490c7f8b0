"""Withdrawals: the money is locked with the request, and leaves or returns with the answer."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.units import MAX_SUPPLY
from node.engine import ledger
from node.engine.account import Account
from node.engine.outcome import Outcome
from node.engine.pausing import check_halt
from node.engine.state import State
from node.engine.stopping import was_operators
from node.engine.withdrawal import Withdrawal


def request(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Set free cash aside to leave the venue; `result` is the id that the answer will name."""
    account = state.account(read_i64_le(frame, at + layout.ACCOUNT) & 0xFFFFFFFF)
    amount = read_i64_le(frame, at + layout.WITHDRAW_REQUEST_AMOUNT)
    if account is None:
        return Code.UNKNOWN_ACCOUNT
    code = check_leaving(state, account)
    if code is not Code.OK:
        return code
    if amount < 1 or amount > MAX_SUPPLY:
        return Code.AMOUNT_OUT_OF_RANGE
    most: i64 = state.limits[limits.WITHDRAWALS_PER_ACCOUNT]
    if account.withdrawal_count >= most:
        return Code.TOO_MANY_WITHDRAWALS
    if account.cash_free < amount:
        return Code.INSUFFICIENT_FUNDS
    state.touch(account.page)
    state.touch(state.treasury_page)
    state.treasury.withdrawals += 1
    ledger.set_aside(account, amount, state.treasury)
    withdrawal = Withdrawal(state.treasury.withdrawals, account, amount)
    state.registers.withdrawals.add(withdrawal)
    state.writer.withdrawal(withdrawal, terms.REQUESTED)
    outcome.result = withdrawal.id
    return Code.OK


def check_leaving(state: State, account: Account) -> Code:
    """Return what keeps an account's money in it, OK if nothing does.

    An operator's stop of it, or a halt; its owner's own stop is no reason to keep its money.
    """
    stop = account.stop
    if stop is not None and was_operators(state, stop):
        return Code.ACCOUNT_STOPPED
    return check_halt(state, account, None)


def confirm(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Let the money of a request leave: it has been paid outside."""
    withdrawal = state.registers.withdrawals.get(read_i64_le(frame, at + layout.WITHDRAW_ID))
    if withdrawal is None:
        return Code.UNKNOWN_WITHDRAWAL
    state.touch(withdrawal.account.page)
    state.touch(state.treasury_page)
    ledger.pay_away(withdrawal.amount, state.treasury)
    return answer(state, withdrawal, terms.CONFIRMED, outcome)


def reject(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Give the money of a request back: it will not be paid."""
    withdrawal = state.registers.withdrawals.get(read_i64_le(frame, at + layout.WITHDRAW_ID))
    if withdrawal is None:
        return Code.UNKNOWN_WITHDRAWAL
    state.touch(withdrawal.account.page)
    state.touch(state.treasury_page)
    ledger.take_back(withdrawal.account, withdrawal.amount, state.treasury)
    return answer(state, withdrawal, terms.REJECTED, outcome)


def answer(state: State, withdrawal: Withdrawal, to: i64, outcome: Outcome) -> Code:
    """Forget a request and say what became of it."""
    state.registers.withdrawals.remove(withdrawal)
    state.writer.withdrawal(withdrawal, to)
    outcome.result = withdrawal.id
    return Code.OK
