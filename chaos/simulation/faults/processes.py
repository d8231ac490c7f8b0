"""Faults of processes and power."""

from contextlib import suppress
from functools import partial
from typing import Final

from chaos.simulation.faults.strike import Strike
from chaos.simulation.host import Host
from node.assembly import Assembly

_SECOND_NS = 1_000_000_000
NEAR_NS: Final = (10_000_000, 400_000_000, 2 * _SECOND_NS, -2 * _SECOND_NS)
"""How far off any number of clocks may be."""
FAR_NS: Final = (3 * 3_600 * _SECOND_NS, 86_400 * _SECOND_NS, -86_400 * _SECOND_NS)
"""How far off a single one may be."""


def _end(strike: Strike, host: Host | None, *, power: bool) -> None:
    """End a node unless so few run that another one proves nothing."""
    if host is None or len(strike.alive) < strike.quorum:
        return
    strike.felt()
    strike.note(host.lane, "loses power" if power else "is killed")
    if power:
        host.lose_power()
    else:
        host.kill()


def kill(strike: Strike) -> None:
    """End a process; the kernel keeps what it wrote."""
    _end(strike, strike.any_alive(), power=False)


def kill_leader(strike: Strike) -> None:
    """End the process that leads."""
    if strike.leaders:
        _end(strike, strike.random.choice(strike.leaders), power=False)


def power_loss(strike: Strike) -> None:
    """Cut a machine's power; what was not synced is gone, or half there."""
    _end(strike, strike.any_alive(), power=True)


def power_loss_leader(strike: Strike) -> None:
    """Cut the leader's power."""
    if strike.leaders:
        _end(strike, strike.random.choice(strike.leaders), power=True)


def power_loss_everywhere(strike: Strike) -> None:
    """Cut everybody's power at once; some come back at once, the others later."""
    for host in strike.alive:
        strike.felt()
        strike.note(host.lane, "loses power with all others")
        host.lose_power()
    for host in strike.hosts:
        strike.later(strike.random.random() * 0.2, partial(restart_host, host))


def restart_host(host: Host) -> None:
    """Start a node on what its disk holds: whatever failed or was cut off, it must be able to."""
    if not host.alive:
        host.repair()
        host.start()


def restart(strike: Strike) -> None:
    """Start what does not run."""
    for host in strike.hosts:
        if not host.alive and strike.random.random() < 0.7:
            strike.felt()
            strike.note(host.lane, "is started again")
            restart_host(host)


def bounce(strike: Strike) -> None:
    """End a node and start it again at once."""
    host = strike.any_alive()
    if host is not None:
        power = strike.random.random() < 0.5
        strike.felt()
        strike.note(host.lane, f"ends and starts again ({'power' if power else 'kill'})")
        if power:
            host.lose_power()
        else:
            host.kill()
        restart_host(host)


def stop_gracefully(strike: Strike) -> None:
    """Ask a node to stop, as a rolling upgrade does, and start it again."""
    host = strike.any_alive()
    if host is None or host.node is None or host.loop.paused:
        return
    strike.felt()
    strike.note(host.lane, "is asked to stop")
    node, loop = host.node, host.loop

    async def stop() -> None:
        with suppress(
            OSError
        ):  # The disk failed at the last moment: the process ends all the same.
            await node.stop()
        if loop.alive:
            host.kill()
            strike.later(0.05, lambda: restart_host(host))

    loop.call_soon(lambda: loop.create_task(stop()))


def pause(strike: Strike) -> None:
    """Stop a process for a while, as SIGSTOP, a swap storm or a hypervisor does."""
    host = strike.any_alive()
    if host is None or host.loop.paused:
        return
    seconds = strike.random.choice((0.02, 0.09, 0.2, 0.5))
    loop = host.loop
    loop.pause()
    strike.felt()
    until = strike.later(seconds, loop.resume)
    strike.note(host.lane, f"is paused for {seconds:.2f} s", until)


def transfer(strike: Strike) -> None:
    """Ask the leader to hand over."""
    for host in strike.leaders:
        if host.node is not None and not host.loop.paused:
            host.loop.run_inside(partial(_hand_over, strike, host.node))
            strike.note(host.lane, "is asked to hand leadership over")


def _hand_over(strike: Strike, node: Assembly) -> None:
    if node.replica.transfer_leadership():
        strike.felt()


def skew(strike: Strike) -> None:
    """Set a machine's wall clock wrong, by up to two seconds or by hours.

    By hours one machine's only, and not before the log has a time: the clocks of a majority are
    what nodes have to go by.
    """
    host = strike.any_alive()
    if host is None:
        return
    offsets: tuple[int, ...] = NEAR_NS
    others_are_near = not any(one.was_far_off for one in strike.hosts if one is not host)
    if strike.cluster.log.by_index and others_are_near:
        offsets += FAR_NS
    offset_ns = strike.random.choice([one for one in offsets if one != host.skew_ns])
    host.was_far_off |= offset_ns in FAR_NS
    host.set_clock(offset_ns, strike.felt)
    strike.note(host.lane, f"shows a wall clock {offset_ns / 1e9:+.2f} s off")
