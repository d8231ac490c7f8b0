"""Faults of the network."""

from collections.abc import Callable
from functools import partial

from chaos.simulation.faults.strike import Strike
from chaos.simulation.host import Host
from chaos.simulation.link import Link, Trouble


def _trouble(links: list[Link], trouble: Trouble) -> Callable[[], None]:
    """Trouble links until the returned action is called; what else troubles them goes on."""
    ends = [link.suffer(trouble) for link in links]

    def end() -> None:
        for end_one in ends:
            end_one()

    return end


def _cut(strike: Strike, ways: list[tuple[str, str]], seconds: float) -> float:
    """Cut links one way each, and mend them later."""
    links = [strike.cluster.network.link(*way) for way in ways]
    return strike.later(seconds, _trouble(links, Trouble(cut=True, felt=strike.felt)))


def _duration(strike: Strike) -> float:
    return strike.random.choice((0.05, 0.2, 0.5, 1.0))


def _isolate(strike: Strike, host: Host) -> None:
    seconds = _duration(strike)
    ways = []
    for other in strike.hosts:
        if other is not host:
            ways += [(host.address, other.address), (other.address, host.address)]
    until = _cut(strike, ways, seconds)
    strike.note(host.lane, f"is cut off from all other nodes for {seconds:.2f} s", until)


def isolate(strike: Strike) -> None:
    """Cut one node off from the others; clients still reach it."""
    _isolate(strike, strike.random.choice(strike.hosts))


def isolate_leader(strike: Strike) -> None:
    """Cut the leader off; it may go on answering those who reach it, or not."""
    if strike.leaders:
        _isolate(strike, strike.random.choice(strike.leaders))


def one_way(strike: Strike) -> None:
    """Let one node hear another no more, but not the other way round."""
    one, other = strike.pair()
    seconds = _duration(strike)
    until = _cut(strike, [(one.address, other.address)], seconds)
    strike.note(other.lane, f"hears nothing of node {one.number} for {seconds:.2f} s", until)


def deaf(strike: Strike) -> None:
    """Let one node hear none of the others, while all of them hear it."""
    host = strike.random.choice(strike.hosts)
    seconds = _duration(strike)
    ways = [(other.address, host.address) for other in strike.hosts if other is not host]
    until = _cut(strike, ways, seconds)
    strike.note(host.lane, f"hears no other node for {seconds:.2f} s", until)


def bridge(strike: Strike) -> None:
    """Cut the cluster so that only one node reaches all others."""
    middle = strike.random.choice(strike.hosts)
    seconds = _duration(strike)
    others = [host for host in strike.hosts if host is not middle]
    ways = [(one.address, other.address) for one in others for other in others if one is not other]
    until = _cut(strike, ways, seconds)
    strike.note(middle.lane, f"alone reaches all others for {seconds:.2f} s", until)


def swizzle(strike: Strike) -> None:
    """Cut links one after the other and mend them in another order."""
    hosts = strike.hosts
    ways = [(one.address, other.address) for one in hosts for other in hosts if one is not other]
    strike.random.shuffle(ways)
    for way in ways[: len(ways) // 2]:
        seconds = strike.random.random() * 0.6
        delay = strike.random.random() * 0.3
        strike.later(delay, partial(_cut_quietly, strike, way, seconds))
    strike.note("network", f"{len(ways) // 2} links go down and come up in turn")


def _cut_quietly(strike: Strike, way: tuple[str, str], seconds: float) -> None:
    if not strike.cluster.closing:  # All faults have ended meanwhile.
        _cut(strike, [way], seconds)


def reset(strike: Strike) -> None:
    """Reset the connections of two nodes; what was on its way is lost."""
    one, other = strike.pair()
    if strike.cluster.network.reset(one.address, other.address):
        strike.felt()
        strike.note("network", f"nodes {one.number} and {other.number} lose their connection")


def flap(strike: Strike) -> None:
    """Reset the connection of two nodes again and again, over a link that is slow meanwhile."""
    one, other = strike.pair()
    network = strike.cluster.network
    links = [
        network.link(one.address, other.address),
        network.link(other.address, one.address),
    ]
    slow_ns = strike.random.choice((2, 10, 30)) * 1_000_000
    end = _trouble(links, Trouble(slow_ns=slow_ns))

    def again(left: int) -> None:
        if network.reset(one.address, other.address):
            strike.felt()
        if left and not strike.cluster.closing:
            strike.later(0.12 + strike.random.random() * 0.1, partial(again, left - 1))
        else:
            end()

    again(strike.random.randint(1, 4))
    strike.note("network", f"nodes {one.number} and {other.number} lose each other repeatedly")


def reset_clients(strike: Strike) -> None:
    """Reset every connection of a client, or of all."""
    clients = strike.clients
    chosen = clients if strike.random.random() < 0.3 else [strike.random.choice(clients)]
    for client in chosen:
        for host in strike.hosts:
            if strike.cluster.network.reset(client.address, host.address):
                strike.felt()
        strike.note("clients", f"client {client.number} loses its connection")


def cut_client(strike: Strike) -> None:
    """Let a client reach no node, or hear none, for a while."""
    client = strike.random.choice(strike.clients)
    seconds = _duration(strike)
    ways = [(client.address, host.address) for host in strike.hosts]
    if strike.random.random() < 0.5:
        ways = [(receiver, sender) for sender, receiver in ways]
    until = _cut(strike, ways, seconds)
    strike.note("clients", f"client {client.number} is cut off for {seconds:.2f} s", until)


def delay(strike: Strike) -> None:
    """Slow one direction down."""
    one, other = strike.pair()
    link = strike.cluster.network.link(one.address, other.address)
    slow_ms = strike.random.choice((10, 50, 200))
    end = _trouble([link], Trouble(slow_ns=slow_ms * 1_000_000, felt=strike.felt))
    until = strike.later(_duration(strike), end)
    text = f"from node {one.number} to {other.number} takes {slow_ms} ms more"
    strike.note("network", text, until)


def loss(strike: Strike) -> None:
    """Lose packets everywhere: each lost one arrives 200 ms later, and all behind it wait."""
    links = strike.cluster.network.links()
    rate = strike.random.choice((0.01, 0.05, 0.2))
    end = _trouble(links, Trouble(loss=rate, felt=strike.felt))
    until = strike.later(_duration(strike), end)
    strike.note("network", f"loses {rate:.0%} of all packets", until)
