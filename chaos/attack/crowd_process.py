"""The process of a crowd: orders come as JSON lines on standard input, answers go out the same way.

The first line says where to and with which keys; keys never are arguments.
"""

import asyncio
import json
import os
import sys
from typing import Any, Final

import uvloop
from nacl.signing import SigningKey

from chaos.attack.crowd import Crowd, raise_descriptors
from client.connection import Address

NICE: Final = 4
DESCRIPTORS: Final = 16_384


async def main() -> None:
    """Do what is asked until standard input ends."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    setting = json.loads(await reader.readline())
    crowd = Crowd(Address(*setting["address"]), _key(setting["reader"]), setting["seed"])
    _answer(crowd, descriptors=raise_descriptors(setting.get("descriptors", DESCRIPTORS)))
    try:
        while line := await reader.readline():
            await _do(crowd, setting, json.loads(line))
            _answer(crowd)
    finally:
        await crowd.stop()


async def _do(crowd: Crowd, setting: dict[str, Any], asked: dict[str, Any]) -> None:
    what = asked["do"]
    if what == "aim":
        crowd.aim(Address(*asked["address"]))
    elif what == "hold":
        await crowd.hold(asked["count"], asked["per_address"])
    elif what == "slow":
        await crowd.read_slowly(asked["count"])
    elif what == "half-open":
        crowd.keep_half_open(asked["count"])
    elif what == "let-flood-in":
        await crowd.let_flood_in(_key(setting["flooder"]), asked["account"], asked["rate"])
    elif what == "flood":
        crowd.flood()
    elif what == "stop":
        await crowd.stop()
    else:
        assert what == "tell", what


def _key(seed: str) -> SigningKey:
    return SigningKey(bytes.fromhex(seed))


def _answer(crowd: Crowd, **more: int) -> None:
    said = {
        "held": len(crowd.held),
        "refused": crowd.refused,
        "lost": crowd.lost,
        "unanswered": crowd.unanswered,
        "failed": crowd.failed,
        "flooded": crowd.flooded,
        "half_open": crowd.half_open,
        **more,
    }
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.nice(NICE)
    uvloop.run(main())
