"""The run's hand on the network: faults put on links and taken off again, in any order."""

import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import permutations
from typing import IO, Final

import msgspec

from chaos.real.link import LinkFaults, Tally, merge
from chaos.real.switch_process import LinkOrder, Order

Ends = tuple[int, int]
"""A direction: from one host to another."""


class Wire:
    """Keeps what is wrong with each link; what overlaps adds up."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Order the switch that runs as `process` about."""
        self._process = process
        self._faults: list[Mapping[Ends, LinkFaults]] = []

    @contextmanager
    def disturbing(self, faults: Mapping[Ends, LinkFaults]) -> Iterator[None]:
        """Put `faults` on links meanwhile."""
        self._faults.append(faults)
        self._push(faults)
        try:
            yield
        finally:
            self._faults.remove(faults)
            self._push(faults)

    def _push(self, changed: Iterable[Ends]) -> None:
        orders = [
            LinkOrder(*ends, merge(one[ends] for one in self._faults if ends in one))
            for ends in changed
        ]
        self._order(Order(orders))

    def _order(self, order: Order) -> None:
        self._stdin.write(msgspec.json.encode(order) + b"\n")
        self._stdin.flush()

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    def tally(self) -> Tally:
        """Return what has become of all frames so far."""
        self._order(Order(report=True))
        assert self._process.stdout is not None
        return msgspec.json.decode(self._process.stdout.readline(), type=Tally)


def both_ways(
    one: Iterable[int], others: Iterable[int], faults: LinkFaults
) -> dict[Ends, LinkFaults]:
    """Return `faults` on every link between a host of `one` and one of `others`."""
    left, right = list(one), list(others)
    found = dict.fromkeys(one_way(left, right), faults)
    found.update(dict.fromkeys(one_way(right, left), faults))
    return found


def one_way(sources: Iterable[int], targets: Iterable[int]) -> list[Ends]:
    """Return every direction from a host of `sources` to another one of `targets`."""
    wanted: Final = list(targets)
    return [(source, target) for source in sources for target in wanted if source != target]


def among(hosts: Iterable[int], faults: LinkFaults) -> dict[Ends, LinkFaults]:
    """Return `faults` on every link between two of `hosts`, both ways."""
    return dict.fromkeys(permutations(hosts, 2), faults)
