"""The README's example, run as shown."""

import asyncio
import re
import subprocess
import sys
from pathlib import Path

from nacl.signing import SigningKey

from tests.single_node import OPERATOR, SingleNode, single_node

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "docs" / "examples" / "quickstart.py"


def deploy(folder: Path, node: SingleNode, key: SigningKey) -> None:
    """Lay out a data folder as `quorumbook up` does, as far as a client reads it."""
    home = folder / ".quorumbook" / "node-1"
    home.mkdir(parents=True)
    member = f"number = 1\nhost = '127.0.0.1'\nclient_port = {node.port}\n"
    (home / "node.toml").write_text(f"number = 1\n\n[[members]]\n{member}")
    file = home.parent / "operator.key"
    file.write_text(bytes(key).hex())
    file.chmod(0o600)


def test_the_example_trades(tmp_path: Path) -> None:
    """It runs from the folder that holds the cluster, twice, and prints its order and the depth."""

    async def run() -> list[str]:
        async with single_node() as node:
            deploy(tmp_path, node, OPERATOR)
            said = []
            for _ in range(2):
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    str(EXAMPLE),
                    cwd=tmp_path,
                    env={"PYTHONPATH": str(ROOT)},
                    stdout=subprocess.PIPE,
                )
                out, _ = await process.communicate()
                assert process.returncode == 0
                said.append(out.decode())
            return said

    first, second = asyncio.run(run())
    assert re.fullmatch(r"order 1 at log index \d+: \[LevelRecord\(price=4000, .*\)\]\n", first)
    assert second.startswith("order 2 ")


def test_the_readme_shows_the_example() -> None:
    """The block in the README is the file that is tested."""
    assert f"```python\n{EXAMPLE.read_text()}```" in (ROOT / "README.md").read_text()
