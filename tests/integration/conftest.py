"""What several files of integration tests start from."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.demonstration import free_base_port
from cluster.deployment import Plan, create_deployment
from cluster.processes import stop_all
from tests.integration.terminal import Terminal


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[Callable[[str], Terminal]]:
    """Return a maker of running clusters, all of which are gone afterwards."""
    made: list[Terminal] = []

    def make(name: str, settings: str = "") -> Terminal:
        terminal = Terminal(tmp_path / name)
        deployment = create_deployment(terminal.data, Plan(3, free_base_port(), "dev"))
        for member in deployment.members:
            with deployment.config_file(member.number).open("a") as file:
                file.write(settings)
        made.append(terminal)
        terminal("up", "--detach")
        return terminal

    yield make
    for terminal in made:
        stop_all(terminal.deployment)
