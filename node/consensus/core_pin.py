"""Exactly one pysyncobj, checked when this package is imported, and unable to pickle."""

import hashlib
from pathlib import Path
from typing import Final

import pysyncobj.pickle
import pysyncobj.syncobj
import pysyncobj.version

from node.consensus.errors import UnsupportedCoreError

PINNED_VERSION: Final = "0.3.17"
PINNED_SHA256: Final = "e8bdf06797085d734df86e24ab4802fe87893dff77268565ec036f7ad4a1cfe4"


def check_core(version: str, source: bytes) -> None:
    """Raise UnsupportedCoreError unless pysyncobj is the very one this module was written for."""
    found = hashlib.sha256(source).hexdigest()
    if (version, found) != (PINNED_VERSION, PINNED_SHA256):
        raise UnsupportedCoreError(
            f"pysyncobj {version} with syncobj.py {found[:16]} is installed, {PINNED_VERSION} with "
            f"{PINNED_SHA256[:16]} is required: install `pysyncobj=={PINNED_VERSION}` unmodified"
        )


def _refuse_pickle(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("pysyncobj wanted to pickle: nothing that it pickles is in use here")


check_core(pysyncobj.version.VERSION, Path(pysyncobj.syncobj.__file__).read_bytes())
for _name in ("dump", "dumps", "load", "loads"):
    setattr(pysyncobj.pickle, _name, _refuse_pickle)
