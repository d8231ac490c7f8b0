"""Clients that die or misbehave."""

from collections.abc import AsyncIterator
from random import Random

from chaos.real.catalogue import CLIENTS, kind
from chaos.real.scene import Scene


@kind("client-killed", CLIENTS, (0.1, 1.5))
async def client_killed(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Kill a client with its commands under way; another one takes its place."""
    del random
    await scene.trading.kill_mortal()
    yield "the mortal client"
    scene.trading.start_mortal()


@kind("client-flood", CLIENTS, (1.0, 3.0))
async def client_flood(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let one client send as much as its window takes while the others trade."""
    del random
    scene.trading.flood(on=True)
    try:
        yield "broker 0"
    finally:
        scene.trading.flood(on=False)
