"""Attempts at the operators' HTTP page, which only reads: to write, and to read what is no page."""

import asyncio
import random as randomness
from typing import Final

from chaos.attack.knock import PATIENCE_SECONDS, Answer
from chaos.attack.login_attempts import Attempt
from chaos.attack.victim import Victim

_METHODS: Final = ("POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "HEAD", "LOCK")
_PAGES: Final = ("/metrics", "/status", "/healthz", "/", "/config", "/shutdown")
_OTHER: Final = (
    "/../cluster.key",
    "/../../operator.key",
    "/%2e%2e/%2e%2e/operator.key",
    "/node.toml",
    "/journal/segment-00000001.journal",
    "//etc/passwd",
    "/status/../node.toml",
    "/metrics\x00/../cluster.key",
    "http://127.0.0.1/cluster.key",
    "/STATUS",
    "/status;a=b",
)


async def _ask(victim: Victim, random: randomness.Random, head: bytes, body: bytes) -> Answer:
    member = victim.deployment.member(random.choice((victim.leader, victim.follower)))
    reader, writer = await asyncio.open_connection(member.host, member.http_port)
    try:
        writer.write(head + b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)
        async with asyncio.timeout(PATIENCE_SECONDS):
            first = await reader.readline()
    except TimeoutError:
        return Answer("silence", accepted=True)
    except ConnectionError:
        return Answer("closed")
    finally:
        writer.transport.abort()
    words = first.decode("latin-1").split()
    status = words[1] if len(words) > 1 and words[0].startswith("HTTP/") else ""
    if not status.isdigit():
        return Answer("closed" if not first else "HTTP error")
    return Answer(f"HTTP {status}", accepted=int(status) < 400)


async def writing_to_the_page(victim: Victim, random: randomness.Random) -> Answer:
    """Ask the page to do something: any method but GET."""
    method, path = random.choice(_METHODS), random.choice(_PAGES)
    head = f"{method} {path} HTTP/1.1\r\nHost: node\r\n".encode()
    return await _ask(victim, random, head, random.randbytes(random.choice((0, 20, 500))))


async def reading_what_is_no_page(victim: Victim, random: randomness.Random) -> Answer:
    """Ask for files, keys, or pages by almost their name."""
    head = f"GET {random.choice(_OTHER)} HTTP/1.1\r\nHost: node\r\n".encode("latin-1")
    return await _ask(victim, random, head, b"")


PAGE_ATTEMPTS: Final[dict[str, Attempt]] = {
    "page: writing": writing_to_the_page,
    "page: files and almost pages": reading_what_is_no_page,
}
