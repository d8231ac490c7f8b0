"""What happens when we, not the user, are wrong: the replica stops."""

from mypy_extensions import mypyc_attr


@mypyc_attr(native_class=False)  # Native classes cannot inherit from built-in exceptions.
class InvariantError(AssertionError):
    """The state contradicts itself.

    Nothing that follows can be trusted, so the replica must stop.
    """


def require(holds: bool, what: str) -> None:
    """Raise InvariantError unless `holds`; unlike `assert`, it stays under `python -O`."""
    if not holds:
        raise InvariantError(what)
