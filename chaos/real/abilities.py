"""What this machine can do, tried once: each ability that is missing has a reason."""

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from chaos.real.belongings import MARK, Belongings
from chaos.real.tool import ToolFailedError, run_tool
from chaos.real.volume import Volume

NETWORK: Final = "namespaces"
SOCKET_KILL: Final = "ss"
STRACE: Final = "strace"
VOLUMES: Final = "ext4"

_NEEDS_ROOT: Final = (NETWORK, SOCKET_KILL, STRACE, VOLUMES)
_TOOLS: Final = {
    NETWORK: ("ip", "nsenter"),
    SOCKET_KILL: ("ss", "nsenter"),
    STRACE: ("strace",),
    VOLUMES: ("mkfs.ext4", "mount", "umount"),
}
_TUN: Final = Path("/dev/net/tun")


class Abilities:
    """The abilities of this machine and user, by name."""

    def __init__(self, *, rootless: bool = False) -> None:
        """Look and try; `rootless` forgoes whatever needs root."""
        self.missing: Final[dict[str, str]] = {}
        """Why an ability is not there, by name."""
        self.rootless: Final = rootless or os.geteuid() != 0
        if self.rootless:
            why = "asked to run without root" if os.geteuid() == 0 else "needs root"
            self.missing.update(dict.fromkeys(_NEEDS_ROOT, why))
        for ability, tools in _TOOLS.items():
            absent = [tool for tool in tools if shutil.which(tool) is None]
            if absent:
                self.missing.setdefault(ability, f"{', '.join(absent)} is not installed")
        if NETWORK not in self.missing:
            self._try_namespaces()
        if VOLUMES not in self.missing:
            self._try_volumes()

    def _try_namespaces(self) -> None:
        name = f"{MARK}-{os.getpid()}-trial"
        if not _TUN.exists():
            self.missing[NETWORK] = f"there is no {_TUN}"
            return
        try:
            run_tool("ip", "netns", "add", name)
            run_tool("ip", "netns", "delete", name)
        except ToolFailedError as error:
            self.missing[NETWORK] = str(error)

    def _try_volumes(self) -> None:
        """Mount a file system and stop it: containers often may not."""
        with TemporaryDirectory(prefix=f"{MARK}-{os.getpid()}-trial-") as folder:
            belongings = Belongings()
            try:
                volume = Volume(Path(folder) / "image", Path(folder) / "mount", belongings)
                volume.lose_power()
            except (ToolFailedError, OSError) as error:
                self.missing[VOLUMES] = str(error)
            finally:
                belongings.remove_all()

    def lack(self, needs: tuple[str, ...]) -> str:
        """Return why something with these needs cannot be done; "" when it can."""
        return "; ".join(
            dict.fromkeys(self.missing[need] for need in needs if need in self.missing)
        )
