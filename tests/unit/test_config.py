"""A node's configuration: what is accepted, and how what is not is named."""

from pathlib import Path

import pytest

from config import ConfigError, load_node, load_profile, profile_names

MEMBER = """
[[members]]
number = {number}
host = "127.0.0.1"
client_port = {port}
peer_port = {port}1
http_port = {port}2
"""


def write_node(folder: Path, more: str = "", members: int = 3, head: str = "number = 1") -> Path:
    """Write a node's file with `members` members, and `more` after them."""
    file = folder / "node.toml"
    listed = "".join(
        MEMBER.format(number=number, port=500 + number) for number in range(1, members + 1)
    )
    file.write_text(f'{head}\ndata = "."\n{listed}\n{more}')
    return file


def test_a_file_says_only_what_differs_from_its_profile(tmp_path: Path) -> None:
    """What the file leaves out comes from the default profile; what it says wins."""
    loaded = load_node(write_node(tmp_path, "[timing]\nheartbeat_ms = 20\n"))

    assert loaded.timing.heartbeat_ms == 20
    assert loaded.timing.election_max_ms == load_profile("default").timing.election_max_ms
    assert loaded.gateway == load_profile("default").gateway


def test_a_relative_data_folder_starts_at_the_file(tmp_path: Path) -> None:
    """A node finds its data wherever it is started from."""
    assert load_node(write_node(tmp_path)).data == str(tmp_path.resolve())


def test_the_own_member_has_the_addresses(tmp_path: Path) -> None:
    """A node learns its own listeners from the list of members."""
    own = load_node(write_node(tmp_path)).own

    assert (str(own.client), str(own.peer)) == ("127.0.0.1:501", "127.0.0.1:5011")
    assert own.http.port == 5012


@pytest.mark.parametrize("name", profile_names())
def test_every_shipped_profile_is_complete_and_in_range(name: str) -> None:
    """A profile can be used as it is."""
    assert load_profile(name).timing.heartbeat_ms > 0


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ("[timing]\nheartbeat_ms = 0\n", "$.timing.heartbeat_ms"),
        ("[timing]\nheartbeat_ms = 100\n", "$.timing"),
        ("[timing]\nelection_max_ms = 150\n", "$.timing"),
        ("[gateway]\nclients = 5\n", "unknown field `clients` - at `$.gateway`"),
        ("[genesis]\nmarkets = 5\n", "unknown field `genesis`"),
        ("[logging]\nlevel = 'loud'\n", "$.logging.level"),
        ("[groups]\nbytes_max = 'many'\n", "$.groups.bytes_max"),
    ],
)
def test_an_error_names_the_file_and_the_place(tmp_path: Path, more: str, place: str) -> None:
    """Whoever wrote a wrong setting is told where it is."""
    file = write_node(tmp_path, more)

    with pytest.raises(ConfigError) as caught:
        load_node(file)

    assert str(file) in str(caught.value)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("head", "members", "reason"),
    [
        ("number = 4", 3, "node 4 is not among the members"),
        ("number = 1", 2, "3 or 5 members"),
        ('number = 1\nprofile = "tiny"', 3, "is not one of default, dev, production"),
        ("number = 1\nprofile = 7", 3, "$.profile"),
        ("number = ", 3, "is not TOML"),
    ],
)
def test_a_membership_that_cannot_work_is_refused(
    tmp_path: Path, head: str, members: int, reason: str
) -> None:
    """A wrong cluster is refused before anything listens."""
    with pytest.raises(ConfigError, match=reason.replace("$", r"\$")):
        load_node(write_node(tmp_path, head=head, members=members))


def test_members_may_not_share_an_address(tmp_path: Path) -> None:
    """Two listeners on one port are found in the file, not at the second bind."""
    with pytest.raises(ConfigError, match="share an address"):
        load_node(
            write_node(
                tmp_path, MEMBER.format(number=4, port=501) + MEMBER.format(number=5, port=505)
            )
        )


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The error says which file is not there."""
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        load_node(tmp_path / "absent.toml")
