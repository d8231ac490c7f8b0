"""What this machine can do, looked up once: each ability that is missing has a reason."""

import os
import shutil
from typing import Final

ROOT: Final = "root"
NETWORK: Final = "namespaces"
STRACE: Final = "strace"

_TOOLS: Final = {STRACE: ("strace",)}


class Abilities:
    """The abilities of this machine and user, by name."""

    def __init__(self, *, rootless: bool = False) -> None:
        """Look; `rootless` forgoes what needs root."""
        self.rootless: Final = rootless or os.geteuid() != 0
        self.missing: Final[dict[str, str]] = {}
        """Why an ability is not there, by name."""
        if self.rootless:
            why = "asked to run without root" if os.geteuid() == 0 else "needs root"
            self.missing[ROOT] = self.missing[NETWORK] = why
        for ability, tools in _TOOLS.items():
            absent = [tool for tool in tools if shutil.which(tool) is None]
            if absent:
                self.missing[ability] = f"{', '.join(absent)} is not installed"

    def lack(self, needs: tuple[str, ...]) -> str:
        """Return why something with these needs cannot be done; "" when it can."""
        return "; ".join(
            dict.fromkeys(self.missing[need] for need in needs if need in self.missing)
        )
