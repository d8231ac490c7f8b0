"""A purse: the money that an order may spend, fees included, and what of it a price can buy."""

from mypy_extensions import i64

from node.domain.units import FEE_SCALE
from node.engine.fee_schedule import FeeSchedule
from node.engine.fees import due, rate
from node.engine.order import Order


class Purse:
    """What is left of a budget, and the order's fee so far, on which the next one depends."""

    def __init__(self, schedule: FeeSchedule, budget: i64, fee_whole: i64, fee_rest: i64) -> None:
        """Hold `budget` micro-USDC."""
        self.schedule: FeeSchedule = schedule
        self.budget: i64 = budget
        self.fee_whole: i64 = fee_whole
        self.fee_rest: i64 = fee_rest

    def cost(self, price: i64, lots: i64) -> i64:
        """Return what `lots` cost at the owner's `price`, with the fee."""
        schedule = self.schedule
        per_lot = rate(schedule.shape, schedule.taker_bps, price)
        rest = self.fee_rest + (per_lot % FEE_SCALE) * lots
        whole = self.fee_whole + (per_lot // FEE_SCALE) * lots + rest // FEE_SCALE
        paid = due(schedule, self.fee_whole, self.fee_rest)
        return price * lots + due(schedule, whole, rest % FEE_SCALE) - paid

    def pay(self, price: i64, lots: i64) -> None:
        """Spend what `lots` cost at the owner's `price`."""
        self.budget -= self.cost(price, lots)
        per_lot = rate(self.schedule.shape, self.schedule.taker_bps, price)
        rest = self.fee_rest + (per_lot % FEE_SCALE) * lots
        self.fee_whole += (per_lot // FEE_SCALE) * lots + rest // FEE_SCALE
        self.fee_rest = rest % FEE_SCALE

    def affordable(self, price: i64, most: i64) -> i64:
        """Return how many of `most` lots the budget can pay at the owner's `price`.

        Found by halving: the cost never falls as the lots rise.
        """
        if self.cost(price, most) <= self.budget:
            return most
        enough: i64 = 0
        too_many = most
        while too_many - enough > 1:
            middle = (enough + too_many) >> 1
            if self.cost(price, middle) <= self.budget:
                enough = middle
            else:
                too_many = middle
        return enough


def affordable(order: Order, yes_price: i64, most: i64) -> i64:
    """Return how many of `most` lots the order can still pay when YES costs `yes_price`."""
    purse = Purse(order.schedule, order.budget, order.fee_whole, order.fee_rest)
    return purse.affordable(order.own_price(yes_price), most)
