"""One side of an order book: sparse price levels and a bitmap that finds the best and the next.

200 pages of 50 prices, each page with a mask of its occupied prices, and four words that mask the
occupied pages. An empty side is one list of 200 Nones (1.7 kB).
"""

from typing import Final

from mypy_extensions import i64

from node.domain.units import PRICE_SCALE
from node.engine.order import Order
from node.engine.price_level import PriceLevel

SPAN: Final = 50
"""Prices a page, and pages a word: a mask of 50 bits is positive in 64 bits, compiled or not."""
PAGE_COUNT: Final = 200
WORD_COUNT: Final = 4

BIT: Final = [1 << number for number in range(SPAN + 1)]
"""Powers of two, looked up: mypyc (1.x to 2.4) compiles a literal 1 << n to a 32-bit shift."""

NO_BID: Final = 0
NO_ASK: Final = PRICE_SCALE


class BookPage:
    """Fifty neighbouring prices."""

    def __init__(self) -> None:
        """Make a page without levels."""
        self.occupied: i64 = 0
        self.levels: list[PriceLevel | None] = [None] * SPAN


class BookSide:
    """The orders that bid, or those that ask, by price in YES terms.

    `best` is the highest bid or the lowest ask: 0 or 10,000 on an empty side.
    """

    def __init__(self, is_bid: bool) -> None:
        """Make an empty side."""
        self.is_bid: bool = is_bid
        self.best: i64 = NO_BID if is_bid else NO_ASK
        self.pages: list[BookPage | None] = [None] * PAGE_COUNT
        self.words: list[int] = [0] * WORD_COUNT

    def level(self, price: i64) -> PriceLevel | None:
        """Return the level at `price`, or None when nothing rests there."""
        page = self.pages[price // SPAN]
        if page is None:
            return None
        return page.levels[price % SPAN]

    def worse(self, price: i64) -> i64:
        """Return the next occupied price behind `price`, as a taker sees it, or none's."""
        if self.is_bid:
            return self.occupied_below(price)
        return self.occupied_above(price)

    def rest(self, order: Order) -> PriceLevel:
        """Queue `order` at its price and return the level."""
        price = order.book_price
        number = price // SPAN
        page = self.pages[number]
        if page is None:
            page = BookPage()
            self.pages[number] = page
        level = page.levels[price % SPAN]
        if level is None:
            level = PriceLevel(price)
            page.levels[price % SPAN] = level
            self._occupy(page, number, price)
            if self.is_bid:
                if price > self.best:
                    self.best = price
            elif price < self.best:
                self.best = price
        level.append(order)
        return level

    def remove(self, order: Order) -> PriceLevel:
        """Take `order` out and return its level, which the side has dropped if it is empty now."""
        price = order.book_price
        page = self.pages[price // SPAN]
        assert page is not None
        level = page.levels[price % SPAN]
        assert level is not None
        level.remove(order)
        if level.head is None:
            self._vacate(page, price)
        return level

    def _occupy(self, page: BookPage, number: i64, price: i64) -> None:
        page.occupied |= bit(price % SPAN)
        word: i64 = self.words[number // SPAN]
        self.words[number // SPAN] = word | bit(number % SPAN)

    def _vacate(self, page: BookPage, price: i64) -> None:
        number = price // SPAN
        page.levels[price % SPAN] = None
        page.occupied ^= bit(price % SPAN)
        if page.occupied == 0:
            word: i64 = self.words[number // SPAN]
            self.words[number // SPAN] = word ^ bit(number % SPAN)
        if price == self.best:
            self.best = self.worse(price)

    def occupied_below(self, price: i64) -> i64:
        """Return the highest occupied price under `price`, or 0."""
        number = price // SPAN
        page = self.pages[number]
        if page is not None:
            mask = page.occupied & (bit(price % SPAN) - 1)
            if mask != 0:
                return number * SPAN + highest_bit(mask)
        word_number = number // SPAN
        word: i64 = self.words[word_number]
        word &= bit(number % SPAN) - 1
        while word == 0:
            word_number -= 1
            if word_number < 0:
                return NO_BID
            word = self.words[word_number]
        number = word_number * SPAN + highest_bit(word)
        page = self.pages[number]
        assert page is not None
        return number * SPAN + highest_bit(page.occupied)

    def occupied_above(self, price: i64) -> i64:
        """Return the lowest occupied price over `price`, or 10,000."""
        number = price // SPAN
        page = self.pages[number]
        if page is not None:
            mask = page.occupied & ~(bit(price % SPAN + 1) - 1)
            if mask != 0:
                return number * SPAN + lowest_bit(mask)
        word_number = number // SPAN
        word: i64 = self.words[word_number]
        word &= ~(bit(number % SPAN + 1) - 1)
        while word == 0:
            word_number += 1
            if word_number == WORD_COUNT:
                return NO_ASK
            word = self.words[word_number]
        number = word_number * SPAN + lowest_bit(word)
        page = self.pages[number]
        assert page is not None
        return number * SPAN + lowest_bit(page.occupied)


def bit(number: i64) -> i64:
    """Return the mask of one bit."""
    return BIT[number]


def highest_bit(mask: i64) -> i64:
    """Return the number of the highest bit set in a positive mask, by halving."""
    bit: i64 = 0
    if mask >= 1 << 32:
        mask >>= 32
        bit += 32
    if mask >= 1 << 16:
        mask >>= 16
        bit += 16
    if mask >= 1 << 8:
        mask >>= 8
        bit += 8
    if mask >= 1 << 4:
        mask >>= 4
        bit += 4
    if mask >= 1 << 2:
        mask >>= 2
        bit += 2
    if mask >= 1 << 1:
        bit += 1
    return bit


def lowest_bit(mask: i64) -> i64:
    """Return the number of the lowest bit set in a positive mask."""
    return highest_bit(mask & -mask)
