"""Every fault with its weight."""

from collections.abc import Callable
from typing import Final, NamedTuple

from chaos.simulation.faults import disks, links, processes
from chaos.simulation.faults.strike import Strike


class FaultKind(NamedTuple):
    """A fault and how often it is drawn among the others."""

    weight: int
    strike: Callable[[Strike], None]


FAULTS: Final[dict[str, FaultKind]] = {
    "kill": FaultKind(4, processes.kill),
    "kill-leader": FaultKind(6, processes.kill_leader),
    "power-loss": FaultKind(4, processes.power_loss),
    "power-loss-leader": FaultKind(4, processes.power_loss_leader),
    "power-loss-everywhere": FaultKind(3, processes.power_loss_everywhere),
    "restart": FaultKind(14, processes.restart),
    "bounce": FaultKind(8, processes.bounce),
    "graceful-stop": FaultKind(3, processes.stop_gracefully),
    "pause": FaultKind(5, processes.pause),
    "transfer": FaultKind(3, processes.transfer),
    "clock-skew": FaultKind(3, processes.skew),
    "isolate": FaultKind(4, links.isolate),
    "isolate-leader": FaultKind(9, links.isolate_leader),
    "one-way": FaultKind(4, links.one_way),
    "deaf": FaultKind(3, links.deaf),
    "bridge": FaultKind(3, links.bridge),
    "swizzle": FaultKind(3, links.swizzle),
    "reset": FaultKind(4, links.reset),
    "flap": FaultKind(5, links.flap),
    "client-reset": FaultKind(5, links.reset_clients),
    "client-cut": FaultKind(4, links.cut_client),
    "delay": FaultKind(4, links.delay),
    "loss": FaultKind(3, links.loss),
    "slow-disk": FaultKind(3, disks.slow_disk),
    "sync-error": FaultKind(2, disks.sync_error),
    "disk-full": FaultKind(2, disks.disk_full),
    "disk-loss": FaultKind(3, disks.lose_disk),
    "bit-flip": FaultKind(3, disks.flip_bit),
    "segment-loss": FaultKind(2, disks.lose_segment),
}
