"""Messages on their way out.

Facts at once, promises only when the journal has made them true for ever.
"""

from collections import deque
from collections.abc import Callable

from node.consensus.journal import Journal
from node.consensus.peer_messages import Message


class Outbound:
    """Sends to peers, in order among promises.

    A vote, a vote request or an acknowledgement promises what the journal has recorded: it waits
    until a power loss cannot take that back.
    """

    def __init__(self, journal: Journal, send: Callable[[int, Message], None]) -> None:
        """Send through `send(peer, message)`."""
        self.now = send
        self._journal = journal
        self._waiting: deque[tuple[int, int, Message]] = deque()

    def promise(self, peer: int, message: Message) -> None:
        """Send `message` once everything recorded so far is durable."""
        self._waiting.append((self._journal.position, peer, message))

    def in_term(self, peer: int, message: Message) -> None:
        """Send `message`, which names our term but promises nothing about the log.

        At once, unless the term itself is not durable yet: then it is a promise.
        """
        if self._journal.term_is_durable:
            self.now(peer, message)
        else:
            self.promise(peer, message)

    def release(self) -> None:
        """Send the promises that became true."""
        synced = self._journal.synced_position
        while self._waiting and self._waiting[0][0] <= synced:
            _position, peer, message = self._waiting.popleft()
            self.now(peer, message)

    def forget(self, peer: int) -> None:
        """Drop what waits for `peer`, whose connection is gone."""
        self._waiting = deque(waiting for waiting in self._waiting if waiting[1] != peer)
