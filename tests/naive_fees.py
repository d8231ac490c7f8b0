"""The naive rules of fees: schedules, where fees go, and what makers get of them."""

from node.domain.codes import Code
from node.domain.limits import Limit
from node.domain.terms import FeeShape
from node.domain.units import MAX_SUPPLY
from tests import rule_commands as r
from tests.naive_book import WHOLE, NaiveOrder, NaiveSchedule
from tests.naive_ledger import NaiveLedger
from tests.naive_records import Outcome, require


class NaiveFees(NaiveLedger):
    """Commands about fees, and the sharing out of what a fill has charged."""

    def _schedulecreate(self, command: r.ScheduleCreate) -> Outcome:
        most = self.limits[Limit.FEE_BPS]
        in_range = 0 <= command.taker_bps <= most and 0 <= command.maker_bps <= most
        require(in_range, Code.FEE_OUT_OF_RANGE)
        require(command.shape in list(FeeShape), Code.FEE_SHAPE_INVALID)
        require(0 <= command.rebate_bps <= WHOLE, Code.REBATE_OUT_OF_RANGE)
        require(0 <= command.cap <= MAX_SUPPLY, Code.FEE_CAP_OUT_OF_RANGE)
        rates = (command.taker_bps, command.maker_bps, command.shape)
        return Outcome(Code.OK, self._enter(NaiveSchedule(*rates, command.rebate_bps, command.cap)))

    def _enter(self, schedule: NaiveSchedule) -> int:
        """Return the number of a schedule, the next one if none like it is known."""
        if schedule not in self.schedules:
            require(len(self.schedules) < self.limits[Limit.SCHEDULES], Code.TOO_MANY_SCHEDULES)
            self.schedules.append(schedule)
        return self.schedules.index(schedule) + 1

    def _scheduleassign(self, command: r.ScheduleAssign) -> Outcome:
        require(command.market in self.markets, Code.UNKNOWN_MARKET)
        market = self.markets[command.market]
        require(market.is_before_close, Code.MARKET_STATE_INVALID)
        require(1 <= command.schedule <= len(self.schedules), Code.UNKNOWN_SCHEDULE)
        market.schedule = self.schedules[command.schedule - 1]
        return Outcome(Code.OK, command.schedule)

    def _feeaccountname(self, command: r.FeeAccountName) -> Outcome:
        require(command.account in self.accounts, Code.UNKNOWN_ACCOUNT)
        self.fee_account = command.account
        self._keep_fees(0, self.fees)
        self.fees = 0
        return Outcome(Code.OK, command.account)

    def _share_out(self, maker: NaiveOrder, maker_fee: int, taker_fee: int, fill_id: int) -> None:
        """Give the maker its share of all it has met, less what it got; keep the rest."""
        share, met = maker.schedule.rebate_bps, maker.fees_met
        maker.fees_met += taker_fee
        given = share * maker.fees_met // WHOLE - share * met // WHOLE
        if given:
            self.accounts[maker.account].cash_free += given
            self._fact(maker.account, "received", maker.order_id, fee=given, fill_id=fill_id)
        self._keep_fees(fill_id, maker_fee + taker_fee - given)

    def _keep_fees(self, fill_id: int, amount: int) -> None:
        if not self.fee_account:
            self.fees += amount
        elif amount:
            self.accounts[self.fee_account].cash_free += amount
            self._fact(self.fee_account, "received", fee=amount, fill_id=fill_id)
