"""All decoders under attack, by name."""

from chaos.attack.disk_targets import disk_targets
from chaos.attack.door_targets import door_targets
from chaos.attack.login_targets import login_targets
from chaos.attack.mutation import Mutator
from chaos.attack.peer_targets import peer_targets
from chaos.attack.target import Target
from chaos.attack.venue_targets import venue_targets


def all_targets() -> dict[str, Target]:
    """Return every target."""
    outside = [*door_targets(), *login_targets(), *peer_targets()]
    targets = [*outside, *disk_targets(), *venue_targets()]
    return {target.name: target for target in targets}


def inputs_of(target: Target, seed: str, batch: int) -> list[bytes]:
    """Return the inputs of one batch; every second batch is repaired, where that can be."""
    inputs = Mutator(target.corpus, f"{target.name}:{seed}").batch(batch)
    if target.repair is not None and batch & 1:
        return list(map(target.repair, inputs))
    return inputs
