"""Clients that die or misbehave."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from chaos.real.catalogue import CLIENTS, kind
from chaos.real.pest_process import SILENT, SLOW_READER
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


@asynccontextmanager
async def _pestered(scene: Scene, random: Random, pest: str) -> AsyncIterator[str]:
    number = random.choice(sorted(scene.cluster.numbers))
    ticket = await scene.trading.start_pest(pest, number)
    try:
        yield f"at node {number}"
    finally:
        scene.trading.end_pest(ticket)


@kind("half-open-logins", CLIENTS, (0.5, 4.0))
async def half_open_logins(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Hold 150 connections to a node open that never log in."""
    async with _pestered(scene, random, SILENT) as what:
        yield what


@kind("slow-reader", CLIENTS, (1.0, 5.0))
async def slow_reader(scene: Scene, random: Random) -> AsyncIterator[str]:
    """Let clients subscribe to everything and ask much, and read nothing."""
    async with _pestered(scene, random, SLOW_READER) as what:
        yield what
