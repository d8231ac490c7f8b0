"""Pages: the state as canonical bytes, copied on write so that a checkpoint stops nothing.

Every record belongs to one page. Before a record changes, its page is touched: a clean page joins
the dirty list; a page that a running checkpoint has frozen first gives up its image. Freezing is
therefore one list swap.
"""

from typing import Final

from librt.strings import BytesWriter
from mypy_extensions import i64

from node.domain.records import PAGE_MASK, PAGE_SHIFT, PAGE_SLOTS

CLEAN: Final = 0
DIRTY: Final = 1
FROZEN: Final = 2


class Record:
    """A part of the state that encodes itself canonically."""

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes, as `node.domain.records` lays them out."""
        raise NotImplementedError


class Page:
    """What a checkpoint freezes, encodes and stores as one value."""

    def __init__(self, kind: i64, number: i64) -> None:
        """Make a page that no checkpoint has seen."""
        self.kind: i64 = kind
        self.number: i64 = number
        self.state: i64 = CLEAN
        self.image: bytes | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes; b"" when the page holds nothing."""
        raise NotImplementedError


class RecordPage(Page):
    """Up to 64 consecutive records of one kind."""

    def __init__(self, kind: i64, number: i64) -> None:
        """Make an empty page."""
        super().__init__(kind, number)
        self.live: i64 = 0
        self.records: list[Record | None] = [None] * PAGE_SLOTS

    def encode(self) -> bytes:
        """Return the canonical bytes of the live records, in order."""
        out = BytesWriter()
        for record in self.records:
            if record is not None:
                record.encode(out)
        return out.getvalue()


class Pages:
    """The dirty list: which pages differ from the last checkpoint."""

    def __init__(self) -> None:
        """Start with nothing dirty."""
        self.dirty: list[Page] = []

    def touch(self, page: Page) -> None:
        """Note that `page` is about to change.

        Call it before the change, when `page.state != DIRTY`.
        """
        if page.state == FROZEN and page.image is None:
            page.image = page.encode()
        page.state = DIRTY
        self.dirty.append(page)

    def freeze(self) -> list[Page]:
        """Hand the dirty pages to a checkpoint; from now on touching one keeps its image."""
        frozen = self.dirty
        self.dirty = []
        for page in frozen:
            page.state = FROZEN
        return frozen


class PageTable:
    """The pages of one kind, by number."""

    def __init__(self, pages: Pages, kind: i64) -> None:
        """Make a table without pages that reports changes to `pages`."""
        self.pages: Pages = pages
        self.kind: i64 = kind
        self.by_number: dict[int, RecordPage] = {}

    def put(self, number: i64, record: Record) -> Page:
        """Give `record` its slot and return its page, dirty."""
        page_number = number >> PAGE_SHIFT
        page = self.by_number.get(page_number)
        if page is None:
            page = RecordPage(self.kind, page_number)
            self.by_number[page_number] = page
        if page.state != DIRTY:
            self.pages.touch(page)
        page.records[number & PAGE_MASK] = record
        page.live += 1
        return page

    def drop(self, number: i64) -> None:
        """Take the record with `number` off its page; a page without records leaves the table."""
        page = self.by_number[number >> PAGE_SHIFT]
        if page.state != DIRTY:
            self.pages.touch(page)
        page.records[number & PAGE_MASK] = None
        page.live -= 1
        if page.live == 0:
            del self.by_number[page.number]

    def get(self, number: i64) -> Record | None:
        """Return the record with `number`, or None."""
        page = self.by_number.get(number >> PAGE_SHIFT)
        if page is None:
            return None
        return page.records[number & PAGE_MASK]
