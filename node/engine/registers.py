"""Registers: the pages of what is kept of accounts and keys beside their own records."""

from node.domain import records
from node.engine.order_group import OrderGroups
from node.engine.pages import Pages, PageTable
from node.engine.stop import Stop
from node.engine.withdrawal import Withdrawals


class Registers:
    """Kinships, agents, conducts, bounds, stops, open withdrawals and groups of orders."""

    def __init__(self, pages: Pages) -> None:
        """Start empty."""
        self.kinships: PageTable = PageTable(pages, records.KINSHIP)
        self.conducts: PageTable = PageTable(pages, records.CONDUCT)
        self.agents: PageTable = PageTable(pages, records.AGENT)
        self.bounds: PageTable = PageTable(pages, records.BOUNDS)
        self.stop_pages: PageTable = PageTable(pages, records.STOP)
        self.stops: dict[int, Stop] = {}
        self.withdrawals: Withdrawals = Withdrawals(pages)
        self.order_groups: OrderGroups = OrderGroups(pages)
