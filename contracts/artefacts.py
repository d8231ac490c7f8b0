"""What is deployed, committed: interface, bytecode and storage layout of the vault.

The bytecode has no metadata, so it depends on the sources and the compiler and nothing else.
"""

import json
from pathlib import Path
from typing import Any, Final

from contracts.toolchain import FOLDER, ToolchainError, forge_or_explain, install

CONTRACTS: Final = ("Vault",)
ARTEFACTS: Final = FOLDER / "artifacts"
RUNTIME_SIZE_MAX: Final = 24_576
"""EIP-170."""


def compiled(name: str) -> str:
    """Return a contract's artefact as the compiler's last output has it."""
    output = json.loads((FOLDER / "out" / f"{name}.sol" / f"{name}.json").read_text())
    artefact = {
        "contract": name,
        "abi": output["abi"],
        "bytecode": output["bytecode"]["object"],
        "runtime": output["deployedBytecode"]["object"],
        "storage": [_slot(entry, output["storageLayout"]) for entry in _entries(output)],
    }
    return json.dumps(artefact, indent=1, sort_keys=True) + "\n"


def _entries(output: dict[str, Any]) -> list[dict[str, Any]]:
    return list(output["storageLayout"]["storage"])


def _slot(entry: dict[str, Any], layout: dict[str, Any]) -> dict[str, Any]:
    # The compiler's names of types hold numbers of the syntax tree, which change with any edit.
    kind = layout["types"][entry["type"]]
    return {
        "name": entry["label"],
        "slot": int(entry["slot"]),
        "offset": entry["offset"],
        "bytes": int(kind["numberOfBytes"]),
        "type": kind["label"],
    }


def committed(name: str) -> Path:
    """Return where a contract's artefact is kept."""
    return ARTEFACTS / f"{name}.json"


def build() -> None:
    """Compile, and write the artefacts."""
    install()
    forge_or_explain(["build", "src"])
    ARTEFACTS.mkdir(exist_ok=True)
    for name in CONTRACTS:
        committed(name).write_text(compiled(name))


def check() -> list[str]:
    """Compile from nothing, and return what differs from what is committed."""
    install()
    forge_or_explain(["build", "src", "--force"])
    differing = [
        f"{name}: the sources do not give {committed(name).relative_to(FOLDER.parent)}"
        for name in CONTRACTS
        if not committed(name).exists() or committed(name).read_text() != compiled(name)
    ]
    for name in CONTRACTS:
        size = len(json.loads(compiled(name))["runtime"]) // 2 - 1
        if size > RUNTIME_SIZE_MAX:
            raise ToolchainError(f"{name} has {size} bytes, more than {RUNTIME_SIZE_MAX}")
    return differing
