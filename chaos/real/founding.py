"""A fresh cluster's folders: made like any deployment's, with the addresses of the site."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from chaos.real.cluster_nodes import ARCHIVIST
from chaos.real.site import Site
from cluster.deployment import Deployment, Plan, create_deployment
from config import Member

_ANY_PORT: Final = 20_000
_SEGMENT_BYTES: Final = 4 << 20
"""Small, so that a journal soon has several."""
_MARGIN_BYTES: Final = 24 << 20
"""Of a node that is no witness: one that was rebuilt late in a round gets a snapshot, not the log,
while no outage is so long that a node that was merely away does."""
_WHOLE_MARGIN_BYTES: Final = 1 << 40


def make_deployment(root: Path, site: Site, nodes: int) -> Deployment:
    """Make a new cluster in `root`, which must not exist, for `nodes` hosts of `site`."""
    made = create_deployment(root, Plan(nodes, _ANY_PORT, "default"))
    members = tuple(site.member(number) for number in range(1, nodes + 1))
    deployment = replace(made, members=members)
    for number in range(1, nodes + 1):
        deployment.config_file(number).write_text(_settings(number, members))
    return deployment


def _settings(number: int, members: tuple[Member, ...]) -> str:
    margin = _WHOLE_MARGIN_BYTES if number == ARCHIVIST else _MARGIN_BYTES
    lines = [
        f"number = {number}",
        'data = "."',
        "[storage]",
        f"journal_segment_bytes = {_SEGMENT_BYTES}",
        f"journal_margin_bytes = {margin}",
    ]
    for member in members:
        lines += [
            "[[members]]",
            f"number = {member.number}",
            f'host = "{member.host}"',
            f"client_port = {member.client_port}",
            f"peer_port = {member.peer_port}",
            f"http_port = {member.http_port}",
        ]
    return "\n".join(lines) + "\n"
