"""How a transcript writes prices, shares and USDC, exactly: strings to integers and back."""

PRICE_DIGITS = 4
LOT_DIGITS = 2
MICRO_DIGITS = 6
TIME_DIGITS = 9


def parse(text: str, digits: int) -> int:
    """Return a decimal as an integer: "0.4" with 4 digits is 4,000."""
    sign = -1 if text.startswith("-") else 1
    whole, _, fraction = text.lstrip("-").partition(".")
    if len(fraction) > digits:
        raise ValueError(f"{text} has more than {digits} places")
    return sign * int(whole + fraction.ljust(digits, "0"))


def show(number: int, digits: int, least: int = 0) -> str:
    """Return an integer with `digits` places as a decimal, with at least `least` of them."""
    sign = "-" if number < 0 else ""
    whole, fraction = divmod(abs(number), 10**digits)
    places = str(fraction).rjust(digits, "0").rstrip("0").ljust(least, "0")
    return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"


def price(number: int) -> str:
    """Return a price in USDC, with two places or more."""
    return show(number, PRICE_DIGITS, 2)


def shares(number: int) -> str:
    """Return lots as shares."""
    return show(number, LOT_DIGITS)


def usdc(number: int) -> str:
    """Return micro-USDC as USDC."""
    return show(number, MICRO_DIGITS)


def seconds(number: int) -> str:
    """Return nanoseconds as seconds."""
    return show(number, TIME_DIGITS)
