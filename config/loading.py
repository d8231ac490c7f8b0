"""Reading of TOML: `default`, then the profile, then the file.

Each later one only says what differs.
"""

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from config.schema import NodeConfig, Profile

_T = TypeVar("_T", NodeConfig, Profile)
_DEFAULT = "default"


class ConfigError(Exception):
    """A configuration cannot be used; the message names the file and the place in it."""

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"{source}: {reason}")
        self.source = source
        self.reason = reason


def profile_names() -> list[str]:
    """Return the names of the profiles that are shipped, sorted."""
    found = (files("config") / "profiles").iterdir()
    return sorted(
        entry.name.removesuffix(".toml") for entry in found if entry.name.endswith(".toml")
    )


def load_profile(name: str) -> Profile:
    """Return the settings of a shipped profile.

    Raises ConfigError when there is none of that name.
    """
    return _convert(_profile_tree(name), Profile, f"profile {name}")


def load_node(file: Path) -> NodeConfig:
    """Return a node's configuration from its TOML; a relative `data` starts at the file's folder.

    Raises ConfigError when the file is missing, is not TOML, or says something unknown or out of
    range.
    """
    said = _read(file)
    profile = said.pop("profile", _DEFAULT)
    if not isinstance(profile, str):
        raise ConfigError(
            str(file), f"Expected `str`, got `{type(profile).__name__}` - at `$.profile`"
        )
    tree = _profile_tree(profile)
    del tree["genesis"]
    loaded = _convert(_merged(tree, said), NodeConfig, str(file))
    return msgspec.structs.replace(loaded, data=str((file.parent / loaded.data).resolve()))


def _profile_tree(name: str) -> dict[str, Any]:
    known = profile_names()
    if name not in known:
        raise ConfigError(f"profile {name}", f"is not one of {', '.join(known)}")
    folder = files("config") / "profiles"
    tree = tomllib.loads((folder / f"{_DEFAULT}.toml").read_text())
    if name != _DEFAULT:
        tree = _merged(tree, tomllib.loads((folder / f"{name}.toml").read_text()))
    return tree


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text())
    except OSError as error:
        raise ConfigError(str(file), f"cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(str(file), f"is not TOML: {error}") from error


def _merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Return `under` with what `over` says instead; tables merge, anything else is replaced."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        both_tables = isinstance(below, dict) and isinstance(value, dict)
        merged[key] = _merged(below, value) if both_tables else value  # type: ignore[arg-type]
    return merged


def _convert(tree: dict[str, Any], kind: type[_T], source: str) -> _T:
    try:
        return msgspec.convert(tree, kind)
    except msgspec.ValidationError as error:
        raise ConfigError(source, str(error)) from error
