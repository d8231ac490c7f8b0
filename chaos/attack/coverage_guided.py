"""One decoder under atheris, which follows what its code does: an engine for who has it installed.

`python -m chaos.attack.coverage_guided TARGET FOLDER SECONDS EXECUTIONS`. Compiled modules show no
coverage, so this process runs the pure form; the executions it makes are counted apart.
"""

import re
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from chaos.invocation import invocation
from chaos.report.run_report import Violation
from node import _pure

_INPUT_BYTES_MAX: Final = 4_096
_GRACE_SECONDS: Final = 60.0
_NO_END: Final = -1
_DONE: Final = re.compile(rb"Done (\d+) runs? in (\d+) second")


def is_installed() -> bool:
    """Tell whether atheris can be imported here."""
    return find_spec("atheris") is not None


def run(
    name: str, folder: Path, seconds: int, executions: int = _NO_END
) -> tuple[int, list[Violation]]:
    """Attack the target called `name` in a process of its own; return executions and findings.

    It ends after `seconds`, or earlier after so many executions.
    """
    place = folder / "atheris" / name
    (place / "corpus").mkdir(parents=True, exist_ok=True)
    (place / "findings").mkdir(exist_ok=True)
    known = set((place / "findings").iterdir())
    words = [name, str(place), str(seconds), str(executions)]
    ended = subprocess.run(
        [sys.executable, "-m", "chaos.attack.coverage_guided", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        timeout=seconds + _GRACE_SECONDS,
    )
    done = _DONE.search(ended.stderr)
    new = sorted(set((place / "findings").iterdir()) - known)
    if done is None and not new:
        last = ended.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"atheris ended with code {ended.returncode}: {' '.join(last)}")
    violations = [
        Violation(
            f"parsers: {name}",
            f"atheris found an input of {file.stat().st_size} bytes",
            invocation("attack", "fuzz", "--target", name, "--replay", str(file)),
        )
        for file in new
    ]
    return int(done[1]) if done is not None else 0, violations


def main(arguments: Sequence[str]) -> None:
    """Run as the module says; libFuzzer ends the process."""
    name, folder, seconds, executions = arguments
    _pure.install()
    # Found at run time only, and never a dependency: whoever asks for this engine installs it.
    atheris: Any = import_module("atheris")
    with atheris.instrument_imports(include=["node", "client"], enable_loader_override=False):
        targets = import_module("chaos.attack.targets")
    target = targets.all_targets()[name]
    place = Path(folder)
    for message in target.corpus:
        file = place / "corpus" / blake3(message).hexdigest(length=8)
        file.write_bytes(message)

    def judge(data: bytes) -> None:
        target.judge([data])

    options = [
        sys.argv[0],
        f"-max_total_time={seconds}",
        f"-runs={executions}",
        f"-max_len={_INPUT_BYTES_MAX}",
        f"-artifact_prefix={place / 'findings'}/",
        str(place / "corpus"),
    ]
    atheris.Setup(options, judge)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
