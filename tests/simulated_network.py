"""Connections between simulated nodes.

In order, lost together on a reset, and blockable each way.
"""

from collections.abc import Callable
from random import Random
from typing import Protocol

from node.consensus.peer_messages import Message, decode_message, encode_message


class Scheduler(Protocol):
    """The simulation's clock."""

    now: float

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Run `action` at `time`."""


class SimulatedNetwork:
    """Delivers messages, encoded and decoded as on a wire."""

    def __init__(self, scheduler: Scheduler, random: Random, nodes: list[int]) -> None:
        """Connect nobody yet."""
        self._scheduler = scheduler
        self._random = random
        self._nodes = nodes
        self._generation: dict[tuple[int, int], int] = {}
        self._up: set[tuple[int, int]] = set()
        self._last: dict[tuple[int, int], float] = {}
        self._held: dict[tuple[int, int], list[bytes]] = {}
        self.blocked: set[tuple[int, int]] = set()
        self.slow: dict[tuple[int, int], float] = {}
        self.deliver: Callable[[int, int, Message], None] = lambda *_message: None
        self.connected: Callable[[int, int], None] = lambda *_pair: None
        self.disconnected: Callable[[int, int], None] = lambda *_pair: None
        self.messages = 0

    def is_up(self, one: int, other: int) -> bool:
        """Tell whether two nodes are connected."""
        return (min(one, other), max(one, other)) in self._up

    def connect(self, one: int, other: int) -> None:
        """Connect two nodes, unless either way is blocked."""
        pair = (min(one, other), max(one, other))
        if pair in self._up or pair in self.blocked or pair[::-1] in self.blocked:
            return
        self._up.add(pair)
        self.connected(one, other)
        self.connected(other, one)

    def reset(self, one: int, other: int) -> None:
        """Close the connection of two nodes; what is on its way is lost."""
        pair = (min(one, other), max(one, other))
        if pair not in self._up:
            return
        self._up.discard(pair)
        self._generation[pair] = self._generation.get(pair, 0) + 1
        self._held.pop(pair, None)
        self._held.pop(pair[::-1], None)
        self.disconnected(one, other)
        self.disconnected(other, one)

    def send(self, sender: int, receiver: int, message: Message) -> None:
        """Send over the connection, if there is one."""
        if not self.is_up(sender, receiver):
            return
        self.messages += 1
        self._launch(sender, receiver, b"".join(encode_message(message)))

    def _launch(self, sender: int, receiver: int, data: bytes) -> None:
        way = (sender, receiver)
        delay = self._random.uniform(0.0001, 0.002) + self.slow.get(way, 0.0)
        time = max(self._scheduler.now + delay, self._last.get(way, 0.0))
        self._last[way] = time
        pair = (min(way), max(way))
        generation = self._generation.get(pair, 0)
        self._scheduler.at(time, lambda: self._arrive(way, generation, data))

    def _arrive(self, way: tuple[int, int], generation: int, data: bytes) -> None:
        pair = (min(way), max(way))
        if self._generation.get(pair, 0) != generation or pair not in self._up:
            return
        if way in self.blocked:
            self._held.setdefault(way, []).append(data)
            return
        self.deliver(way[0], way[1], decode_message(data))

    def unblock(self) -> None:
        """Open all ways: what was held arrives, as TCP would have it."""
        self.blocked.clear()
        held, self._held = self._held, {}
        for (sender, receiver), messages in held.items():
            for data in messages:
                self._launch(sender, receiver, data)
