"""What is deployed is what is committed, and it is well formed."""

import json
import re
from typing import Any

import pytest

from contracts import artefacts
from contracts.toolchain import FOLDER

ADDRESS_BYTES = 20
WORD_BYTES = 32


def vault() -> dict[str, Any]:
    """Return the vault's artefact."""
    content: dict[str, Any] = json.loads(artefacts.committed("Vault").read_text())
    return content


@pytest.mark.parametrize("part", ["bytecode", "runtime"])
def test_bytecode_is_whole_and_linked(part: str) -> None:
    """It is hexadecimal, of whole bytes, and has no placeholder of a library."""
    assert re.fullmatch(r"0x([0-9a-f]{2})+", vault()[part])


def test_the_vault_can_be_deployed() -> None:
    """A chain refuses code of more than 24,576 bytes."""
    assert len(vault()["runtime"]) // 2 - 1 <= artefacts.RUNTIME_SIZE_MAX


def test_nothing_of_the_compiler_is_in_the_bytecode() -> None:
    """Without metadata the bytecode depends on sources and compiler alone."""
    assert b"solc".hex() not in vault()["bytecode"]
    assert b"ipfs".hex() not in vault()["bytecode"]


def test_the_interface_has_what_settlement_calls() -> None:
    """The functions that a node, a user and a guardian need are there."""
    functions = {entry["name"] for entry in vault()["abi"] if entry["type"] == "function"}

    assert functions >= {
        "settle",
        "batchDigest",
        "progress",
        "deposit",
        "depositWithPermit",
        "depositWithAuthorization",
        "bindKey",
        "claim",
        "requestExit",
        "freeze",
        "escape",
        "redeem",
        "pause",
        "returnWithdrawal",
        "proposeRotation",
        "vetoRotation",
    }


def test_nothing_in_the_vault_can_be_upgraded_or_destroyed() -> None:
    """It has no owner, no proxy, no function that runs foreign code."""
    names = {entry["name"].lower() for entry in vault()["abi"] if "name" in entry}

    assert not {
        name
        for name in names
        if any(word in name for word in ("upgrade", "implementation", "owner_", "destroy", "sweep"))
    }


def test_storage_does_not_overlap() -> None:
    """No two variables share a byte, and what a batch reads together is in one word."""
    taken: set[tuple[int, int]] = set()
    for entry in vault()["storage"]:
        start = entry["slot"] * WORD_BYTES + entry["offset"]
        for byte in range(start, start + entry["bytes"]):
            place = divmod(byte, WORD_BYTES)
            assert place not in taken, entry["name"]
            taken.add(place)
    slots = {entry["name"]: entry["slot"] for entry in vault()["storage"]}
    assert slots["keySet"] == slots["threshold"] == slots["frozenAt"] == slots["guardian"]


def test_the_lock_file_names_no_registry() -> None:
    """Where packages come from is the machine's business."""
    lock = json.loads((FOLDER / "package-lock.json").read_text())

    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
