"""One replica of the exchange; QUORUMBOOK_PURE=1 loads its sources, not their compiled form."""

import os as _os

if _os.environ.get("QUORUMBOOK_PURE") == "1":
    from node import _pure

    _pure.install()
