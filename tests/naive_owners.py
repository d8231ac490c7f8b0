"""The naive venue's owners: subaccounts, transfers among them, and withdrawals."""

from blake3 import blake3

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import AccountMode, Role, WithdrawalState
from node.domain.units import MAX_SUPPLY
from tests import account_commands as a
from tests import commands as c
from tests import life_commands as life
from tests.naive_ledger import NaiveLedger
from tests.naive_records import NaiveAccount, Outcome, require


class NaiveOwners(NaiveLedger):
    """Who may speak for whom, and money that moves without a trade."""

    def _permit(self, command: c.Command, role: int, own_account: int) -> None:
        if role == Role.OPERATOR:
            return
        require(command.kind < c.AccountOpen.kind, Code.NOT_PERMITTED)
        if role == Role.BROKER:
            of_outcomes = isinstance(command, (life.Convert, life.MergeOutcomes))
            of_orders = command.kind < a.SubaccountOpen.kind
            require(of_orders or of_outcomes, Code.NOT_PERMITTED)
            return
        named = [getattr(command, "account", 0)]
        if isinstance(command, a.Transfer):
            named.append(command.to)
        for number in named:
            account = self.accounts.get(number)
            mine = number == own_account or (account is not None and account.owner == own_account)
            require(mine, Code.NOT_PERMITTED)

    def _holder(self, number: int) -> NaiveAccount:
        require(number in self.accounts, Code.UNKNOWN_ACCOUNT)
        return self.accounts[number]

    def _require_leaving(self, account: NaiveAccount) -> None:
        """Reject when an account's money must stay where it is."""

    def _subaccountopen(self, command: a.SubaccountOpen) -> Outcome:
        owner = self._holder(command.account)
        siblings = [one for one in self.accounts.values() if one.owner == owner.number]
        ordinal = len(siblings) + 1
        seed = b"quorumbook subaccount" + owner.address + ordinal.to_bytes(8, "little")
        address = blake3(seed).digest()[:20]
        addresses = [account.address for account in self.accounts.values()]
        require(address not in addresses, Code.ACCOUNT_EXISTS)
        require(len(self.accounts) < self.limits[Limit.ACCOUNTS], Code.TOO_MANY_ACCOUNTS)
        require(command.mode in (AccountMode.NET, AccountMode.HOLD), Code.MODE_INVALID)
        require(owner.owner == 0, Code.SUBACCOUNT_OF_SUBACCOUNT)
        room = ordinal <= self.limits[Limit.SUBACCOUNTS_PER_OWNER]
        require(room, Code.TOO_MANY_SUBACCOUNTS)
        number = len(self.accounts) + 1
        self.accounts[number] = NaiveAccount(number, command.mode, address, owner=owner.number)
        return Outcome(Code.OK, number)

    def _transfer(self, command: a.Transfer) -> Outcome:
        giver, taker = self._holder(command.account), self._holder(command.to)
        self._require_leaving(giver)
        require(1 <= command.amount <= MAX_SUPPLY, Code.AMOUNT_OUT_OF_RANGE)
        owner = giver.owner or giver.number
        require(owner == (taker.owner or taker.number), Code.OWNERS_DIFFER)
        require(command.number >= 1, Code.TRANSFER_ID_INVALID)
        done = self.last_transfers.get(owner, 0)
        require(command.number > done, Code.TRANSFER_ALREADY_DONE)
        require(giver is not taker, Code.TRANSFER_TO_ITSELF)
        require(giver.cash_free >= command.amount, Code.INSUFFICIENT_FUNDS)
        self.last_transfers[owner] = command.number
        giver.cash_free -= command.amount
        taker.cash_free += command.amount
        for one, other, amount in ((giver, taker, -command.amount), (taker, giver, command.amount)):
            ids = (other.number, 0, amount)
            self._fact(one.number, "transferred", *ids, detail=command.number)
        return Outcome(Code.OK, command.number)

    def _withdrawrequest(self, command: a.WithdrawRequest) -> Outcome:
        account = self._holder(command.account)
        self._require_leaving(account)
        require(1 <= command.amount <= MAX_SUPPLY, Code.AMOUNT_OUT_OF_RANGE)
        mine = [one for one, _ in self.withdrawals.values() if one == account.number]
        room = len(mine) < self.limits[Limit.WITHDRAWALS_PER_ACCOUNT]
        require(room, Code.TOO_MANY_WITHDRAWALS)
        require(account.cash_free >= command.amount, Code.INSUFFICIENT_FUNDS)
        self.withdrawals_made += 1
        account.cash_free -= command.amount
        self.withdrawals[self.withdrawals_made] = (account.number, command.amount)
        return self._tell_withdrawal(
            self.withdrawals_made, account.number, command.amount, WithdrawalState.REQUESTED
        )

    def _withdrawconfirm(self, command: a.WithdrawConfirm) -> Outcome:
        require(command.withdrawal in self.withdrawals, Code.UNKNOWN_WITHDRAWAL)
        account, amount = self.withdrawals.pop(command.withdrawal)
        self.withdrawn += amount
        return self._tell_withdrawal(command.withdrawal, account, amount, WithdrawalState.CONFIRMED)

    def _withdrawreject(self, command: a.WithdrawReject) -> Outcome:
        require(command.withdrawal in self.withdrawals, Code.UNKNOWN_WITHDRAWAL)
        account, amount = self.withdrawals.pop(command.withdrawal)
        self.accounts[account].cash_free += amount
        return self._tell_withdrawal(command.withdrawal, account, amount, WithdrawalState.REJECTED)

    def _tell_withdrawal(
        self, number: int, account: int, amount: int, state: WithdrawalState
    ) -> Outcome:
        self._fact(account, "withdrawal", number, lots=amount, detail=state)
        return Outcome(Code.OK, number)
