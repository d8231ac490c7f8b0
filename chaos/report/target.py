"""Files that a command writes at its end, looked at before it begins."""

import os
from pathlib import Path
from typing import Final

import click


class TargetFile(click.ParamType[Path]):
    """The name of a file to write; refused at once, as wrong usage, where that cannot work."""

    name = "file"

    def convert(
        self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None
    ) -> Path:
        """Return the path of `value`, whose folder is there and can be written in."""
        path = Path(value)
        if path.is_dir():
            self.fail(f"{path} is a folder, not a file", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"{path} cannot be written: there is no folder {path.parent}", param, ctx)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            self.fail(f"{path} cannot be written: it is write-protected", param, ctx)
        return path


TARGET_FILE: Final = TargetFile()
