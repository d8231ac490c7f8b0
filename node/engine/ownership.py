"""Whose accounts are whose: subaccounts, transfers among them, and which key acts for which."""

from typing import Final

from blake3 import blake3
from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import limits, terms
from node.domain.codes import Code
from node.domain.identifiers import ADDRESS_SIZE
from node.domain.units import MAX_SUPPLY
from node.engine import agency, bounding, ledger, presence, stopping, withdrawing
from node.engine.account import Account
from node.engine.invariants import require
from node.engine.kinship import Kinship
from node.engine.outcome import Outcome
from node.engine.session import Key, Session
from node.engine.state import State

ADDRESS_DOMAIN: Final = b"quorumbook subaccount"


def acts_for(state: State, key: Key, number: i64) -> bool:
    """Return whether a key may act for an account that is not its own.

    A broker's and an operator's may for any, a trader's for its subaccounts, an agent's for none.
    """
    if key.role != terms.TRADER:
        return True
    account = state.account(number)
    if account is None or key.agent is not None:
        return False
    kinship = account.kinship
    return kinship is not None and kinship.owner != 0 and kinship.owner == key.account


def execute_for_owner(
    state: State, kind: i64, session: Session, frame: bytes, at: i64, outcome: Outcome
) -> Code:
    """Execute a command about an owner's accounts or money, which is never a broker's."""
    key = session.key
    if kind == layout.ON_DISCONNECT:
        return presence.choose_on_disconnect(state, session, frame, at)
    if key.role == terms.BROKER:
        return Code.NOT_PERMITTED
    if kind == layout.AGENT_SET:
        return agency.set_agent(state, key, frame, at, outcome)
    if kind == layout.AGENT_REVOKE:
        return agency.revoke_agent(state, key, frame, at, outcome)
    if kind == layout.STOP:
        return stopping.stop(state, key, frame, at, outcome)
    if kind == layout.STOP_LIFT:
        return stopping.lift(state, key, frame, at, outcome)
    if kind == layout.DEADLINE_SET:
        return presence.set_deadline(state, frame, at, outcome)
    return move_money(state, kind, key, frame, at, outcome)


def move_money(state: State, kind: i64, key: Key, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Execute a command about an owner's accounts and what is in them."""
    if kind == layout.SUBACCOUNT_OPEN:
        return open_subaccount(state, frame, at, outcome)
    if kind == layout.TRANSFER:
        return transfer(state, key, frame, at, outcome)
    require(kind == layout.WITHDRAW_REQUEST, "an owner's command without a handler")
    return withdrawing.request(state, frame, at, outcome)


def execute_for_operator(state: State, kind: i64, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Execute an operator's command about accounts."""
    if kind == layout.WITHDRAW_CONFIRM:
        return withdrawing.confirm(state, frame, at, outcome)
    if kind == layout.BOUNDS_SET:
        return bounding.set_bounds(state, frame, at, outcome)
    require(kind == layout.WITHDRAW_REJECT, "an operator's command without a handler")
    return withdrawing.reject(state, frame, at, outcome)


def is_owners(kind: i64) -> bool:
    """Return whether a command is about an owner's accounts rather than its orders."""
    if kind >= layout.ON_DISCONNECT:
        return True
    return layout.SUBACCOUNT_OPEN <= kind <= layout.DEADLINE_SET


def owner_of(account: Account) -> i64:
    """Return the number of the account that owns this one: often itself."""
    kinship = account.kinship
    if kinship is None or kinship.owner == 0:
        return account.number
    return kinship.owner


def subaccount_address(owner: Account, ordinal: i64) -> bytes:
    """Return the address of an owner's subaccount, which nobody can sign for.

    The first 20 bytes of blake3("quorumbook subaccount", the owner's address, the ordinal as i64).
    """
    number: int = ordinal
    hasher = blake3(ADDRESS_DOMAIN)
    hasher.update(owner.address)
    hasher.update(number.to_bytes(8, "little"))
    return hasher.digest()[:ADDRESS_SIZE]


def open_subaccount(state: State, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Open the owner's next subaccount; its keys act for it from then on."""
    word = read_i64_le(frame, at + layout.ACCOUNT)
    mode = (word >> 32) & 0xFFFFFFFF
    owner = state.account(word & 0xFFFFFFFF)
    if owner is None:
        return Code.UNKNOWN_ACCOUNT
    kinship = owner.kinship
    ordinal: i64 = 1 if kinship is None else kinship.subaccounts + 1
    address = subaccount_address(owner, ordinal)
    if address in state.accounts_by_address:
        return Code.ACCOUNT_EXISTS
    most: i64 = state.limits[limits.ACCOUNTS]
    if state.treasury.accounts >= most:
        return Code.TOO_MANY_ACCOUNTS
    if mode != terms.NET and mode != terms.HOLD:
        return Code.MODE_INVALID
    if kinship is not None and kinship.owner != 0:
        return Code.SUBACCOUNT_OF_SUBACCOUNT
    most_here: i64 = state.limits[limits.SUBACCOUNTS_PER_OWNER]
    if ordinal > most_here:
        return Code.TOO_MANY_SUBACCOUNTS
    if kinship is None:
        kinship = Kinship(owner, 0, 0)
        state.add_kinship(kinship)
    state.touch(kinship.page)
    kinship.subaccounts = ordinal
    state.touch(state.treasury_page)
    state.treasury.accounts += 1
    account = Account(state.treasury.accounts, mode, address)
    state.add_account(account)
    state.writer.account_opened(account)
    own = Kinship(account, owner.number, ordinal)
    state.add_kinship(own)
    state.writer.subaccount_opened(own)
    outcome.result = account.number
    return Code.OK


def may_receive(state: State, key: Key, frame: bytes, at: i64) -> bool:
    """Return whether the receiver of a transfer is one that `key` acts for, too.

    A key that is bound to one subaccount moves no money to or from the others.
    """
    to = (read_i64_le(frame, at + layout.ACCOUNT) >> 32) & 0xFFFFFFFF
    return to == key.account or acts_for(state, key, to)


def transfer(state: State, key: Key, frame: bytes, at: i64, outcome: Outcome) -> Code:
    """Move free cash between two accounts of one owner, once.

    The owner numbers its transfers upwards, so that one which is said again is known by its id.
    """
    word = read_i64_le(frame, at + layout.ACCOUNT)
    amount = read_i64_le(frame, at + layout.TRANSFER_AMOUNT)
    number = read_i64_le(frame, at + layout.TRANSFER_ID)
    to = (word >> 32) & 0xFFFFFFFF
    if not may_receive(state, key, frame, at):
        return Code.NOT_PERMITTED
    giver = state.account(word & 0xFFFFFFFF)
    taker = state.account(to)
    if giver is None or taker is None:
        return Code.UNKNOWN_ACCOUNT
    code = withdrawing.check_leaving(state, giver)
    if code is not Code.OK:
        return code
    if amount < 1 or amount > MAX_SUPPLY:
        return Code.AMOUNT_OUT_OF_RANGE
    code = check_transfer(state, giver, taker, number)
    if code is not Code.OK:
        return code
    if giver.cash_free < amount:
        return Code.INSUFFICIENT_FUNDS
    note_transfer(state, giver, number)
    state.touch(giver.page)
    state.touch(taker.page)
    ledger.transfer(giver, taker, amount)
    state.writer.transferred(giver, taker.number, -amount, number)
    state.writer.transferred(taker, giver.number, amount, number)
    outcome.result = number
    return Code.OK


def check_transfer(state: State, giver: Account, taker: Account, number: i64) -> Code:
    """Check that a transfer stays with its owner and has not been made before."""
    owner = owner_of(giver)
    if owner != owner_of(taker):
        return Code.OWNERS_DIFFER
    if number < 1:
        return Code.TRANSFER_ID_INVALID
    kinship = family_of(state, owner)
    if kinship is not None and number <= kinship.last_transfer:
        return Code.TRANSFER_ALREADY_DONE
    if giver is taker:
        return Code.TRANSFER_TO_ITSELF
    return Code.OK


def family_of(state: State, owner: i64) -> Kinship | None:
    """Return the record of an owner's accounts, None while it has but one."""
    account = state.account(owner)
    require(account is not None, "an owner has no account")
    assert account is not None
    return account.kinship


def note_transfer(state: State, giver: Account, number: i64) -> None:
    """Remember the owner's last transfer."""
    kinship = family_of(state, owner_of(giver))
    require(kinship is not None, "a transfer within an owner's only account")
    assert kinship is not None
    state.touch(kinship.page)
    kinship.last_transfer = number
