"""The door: a listening socket that makes a connection of every client."""

import asyncio
from collections.abc import Callable


class Listener:
    """One listening TCP address."""

    def __init__(self, make_connection: Callable[[], asyncio.Protocol]) -> None:
        """Make connections with `make_connection`; nothing listens before `start`."""
        self._make_connection = make_connection
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen on `host` and `port` (0: any free one) and return the port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._make_connection, host, port, backlog=1_024)
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    def close(self) -> None:
        """Accept no more connections; those that are there stay."""
        if self._server is not None:
            self._server.close()
            self._server = None
