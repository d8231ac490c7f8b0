"""Documents lead somewhere: a link that is broken is a promise that is not kept."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("changelog.d/*.md")])
DECISIONS = sorted((ROOT / "docs" / "adr").glob("[0-9]*.md"))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_to_files(document: Path) -> None:
    """Every relative link in a document names a file that exists."""
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text())
    local = [target for target in targets if "://" not in target]

    assert [target for target in local if not (document.parent / target).exists()] == []


def test_the_readme_shows_the_example_that_is_tested() -> None:
    """The README's Python block is docs/examples/quickstart.py, which a test runs."""
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)

    assert blocks == [(ROOT / "docs" / "examples" / "quickstart.py").read_text()]


def test_decisions_are_numbered_and_listed() -> None:
    """Decisions have consecutive numbers, and their index names each by its title."""
    index = (ROOT / "docs" / "adr" / "README.md").read_text()
    rows = re.findall(r"^\| \[(\d{4})\]\((\S+)\) \| (.+) \|$", index, re.MULTILINE)
    titles = [path.read_text().splitlines()[0] for path in DECISIONS]

    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))
    assert rows == [
        (path.name[:4], path.name, title.split(". ", 1)[1])
        for path, title in zip(DECISIONS, titles, strict=True)
    ]


def test_every_folder_of_a_replica_is_in_the_architecture() -> None:
    """Whoever adds a folder says in docs/architecture.md what it is."""
    architecture = (ROOT / "docs" / "architecture.md").read_text()
    folders = {path.parent.name for path in (ROOT / "node").glob("*/__init__.py")}

    assert {name for name in folders if f"`node/{name}`" not in architecture} == set()
