"""Every rejection is documented and shown: a number that nobody meets is a guess."""

import re
from pathlib import Path

from node.domain.codes import Code

ROOT = Path(__file__).resolve().parents[2]
REJECTIONS = [code.name for code in Code if code is not Code.OK]


def words(paths: list[Path]) -> set[str]:
    """Return every word in capitals in the files."""
    return {word for path in paths for word in re.findall(r"\b[A-Z][A-Z_]+\b", path.read_text())}


def test_every_rejection_is_documented() -> None:
    """docs/protocol.md explains each code, by name and number."""
    protocol = (ROOT / "docs" / "protocol.md").read_text()
    missing = [
        f"{code.name} {code.value}"
        for code in Code
        if not re.search(rf"\b{code.value}\b[^\n]*\b{code.name}\b", protocol)
    ]

    assert missing == []


def test_every_rejection_is_shown() -> None:
    """A scenario or a test names each code that a client can meet."""
    shown = words(
        [
            path
            for path in (ROOT / "tests").rglob("*")
            if path.suffix in {".py", ".txt"} and path.parent.name != "architecture"
        ]
    )

    assert [name for name in REJECTIONS if name not in shown] == []
