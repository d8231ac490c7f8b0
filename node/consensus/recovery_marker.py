"""The file that says that a node must not vote yet."""

from pathlib import Path
from typing import Final

from node.consensus.file_system import FileSystem

RECOVERING_MARKER: Final = "recovering"


class RecoveryMarker:
    """A file in the replica's directory: while it is there, the node does not vote."""

    def __init__(self, files: FileSystem, directory: Path) -> None:
        """Look in `directory`."""
        self._files = files
        self._path = directory / RECOVERING_MARKER

    @property
    def is_set(self) -> bool:
        """Whether the node recovers."""
        return self._files.exists(self._path)

    def set(self) -> None:
        """Make the node recover, durably."""
        if not self.is_set:
            self._files.close(self._files.create(self._path))
            self._files.sync_directory(self._path.parent)

    def clear(self) -> None:
        """Let the node vote again, durably."""
        self._files.remove(self._path)
        self._files.sync_directory(self._path.parent)
