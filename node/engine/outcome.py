"""What a command came to, besides its code."""

from mypy_extensions import i64


class Outcome:
    """The two numbers of a reply; one object serves all commands, cleared before each."""

    def __init__(self) -> None:
        """Start cleared."""
        self.result: i64 = 0
        self.filled: i64 = 0

    def clear(self) -> None:
        """Forget the last command's numbers."""
        self.result = 0
        self.filled = 0
