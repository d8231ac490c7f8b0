"""Integer units of money, price and size, and the bounds that keep every sum inside 64 bits.

One price unit is 0.0001 USDC and one lot is 0.01 share, so price x lots is exactly micro-USDC (1e-6
USDC).
"""

from typing import Final

PRICE_SCALE: Final = 10_000
"""Price units in one USDC; what one lot of a complete set is worth in micro-USDC."""

MIN_PRICE: Final = 1
MAX_PRICE: Final = 9_999

LOTS_PER_SHARE: Final = 100
MICRO_USDC_PER_USDC: Final = 1_000_000

MAX_LOTS: Final = 10_000_000_000
"""Largest size of one order, split or merge: 100 million shares.

MAX_LOTS x PRICE_SCALE = 1e14 micro-USDC.
"""

MAX_SUPPLY: Final = 1_000_000_000_000_000_000
"""Largest sum of all deposits, in micro-USDC (1e12 USDC).

Bounds every balance, lock and running sum.
"""

BPS_SCALE: Final = 10_000
FEE_SCALE: Final = BPS_SCALE * PRICE_SCALE
"""Divisor of bps x price x (PRICE_SCALE - price) x lots, which gives a fee in micro-USDC."""

NO_BUDGET: Final = 4 * MAX_SUPPLY
"""The budget of an order that has none: it stays above any that can be given, and in 64 bits."""

NANOSECONDS_PER_SECOND: Final = 1_000_000_000

ORDER_GROUP_WINDOW: Final = 15 * NANOSECONDS_PER_SECOND
"""Within any such span of the log's time a group of orders fills no more lots than its limit."""

MAX_SPAN: Final = 30 * 86_400 * NANOSECONDS_PER_SECOND
"""Longest window or pause of a market: 30 days."""
LATEST_STAMP: Final = 1 << 62
"""A span is added to no later time than this, in 2116: the sum stays within 64 bits."""
