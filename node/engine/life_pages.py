"""The pages of what the lives of markets and events leave in the state."""

from node.domain import records
from node.engine.pages import Pages, PageTable
from node.engine.pause import Pause


class LifePages:
    """Times of markets, pauses, and resolutions that are on their way."""

    def __init__(self, pages: Pages) -> None:
        """Start with none, and report changes to `pages`."""
        self.times: PageTable = PageTable(pages, records.TIMES)
        self.pauses_by_number: dict[int, Pause] = {}
        self.pauses: PageTable = PageTable(pages, records.PAUSE)
        self.resolutions: PageTable = PageTable(pages, records.RESOLUTION)
