"""The command line's contract: help, examples, --json, and exit codes 0, 1 and 2."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from cluster.app import app, main
from cluster.clients import PRICE, SHARES, USDC, owner_of
from cluster.console import price, shares, usdc
from cluster.deployment import Plan, create_deployment
from node.domain.limits import Limit


def leaves(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command that does something, with the words that call it."""
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from leaves(below, f"{path} {name}".strip())
    else:
        yield path, command


LEAVES = dict(leaves(app, ""))


PLACE = ("order", "place", "a", "--market", "1", "--buy", "yes")


def run(*words: str) -> tuple[int, str]:
    """Run the command line in this process; return its exit code and everything it said."""
    result = CliRunner().invoke(app, list(words))
    return result.exit_code, result.output


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_every_command_explains_itself_with_an_example(path: str) -> None:
    """Whoever asks for --help sees a command that works."""
    code, text = run(*path.split(), "--help")

    assert code == 0
    assert f"Example: quorumbook {path}" in text


@pytest.mark.parametrize("path", sorted(LEAVES))
def test_every_command_can_speak_json(path: str) -> None:
    """Programs can use every command."""
    assert "--json" in [name for option in LEAVES[path].params for name in option.opts]


def test_the_list_of_commands_starts_fast() -> None:
    """`--help` imports neither the engine, nor the client, nor the tables for people."""
    program = (
        "import sys; from cluster.app import app; app.main(['--help'], standalone_mode=False);"
        "slow = ('rich', 'node.engine', 'client', 'uvloop', 'cluster.flow');"
        "print([name for name in slow if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_the_version_says_which_form_runs() -> None:
    """An operator can tell a compiled core from a pure one."""
    code, text = run("--version")

    assert code == 0
    assert text.strip().endswith(("(compiled)", "(pure)"))


@pytest.mark.parametrize(
    "words",
    [
        ("status",),
        ("down",),
        ("verify",),
        ("account", "list"),
        ("order", "list", "alice"),
        ("depth", "1"),
        ("node", "stop", "1"),
        ("log", "info", "1"),
        ("snapshot", "list"),
        ("keys", "show"),
    ],
)
def test_without_a_cluster_a_command_fails_and_says_so(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    """Code 1 and one sentence, not a traceback."""
    code, text = run(*words, "--data", str(tmp_path))

    assert code == 1
    assert "there is no cluster in" in text


@pytest.mark.parametrize(
    "words",
    [
        ("nonsense",),
        ("node", "kill"),
        ("up", "--nodes", "4"),
        ("depth", "one"),
        ("config", "check"),
        ("order", "place", "a", "--market", "1", "--price", "0.4", "--shares", "1"),
        (
            "order",
            "place",
            "a",
            "--market",
            "1",
            "--buy",
            "yes",
            "--price",
            "0.00001",
            "--shares",
            "1",
        ),
        ("order", "cancel", "a"),
        ("account", "deposit", "a", "much"),
        ("account", "deposit", "a", "1e30"),
        ("account", "deposit", "a", "-1"),
        ("account", "deposit", "9" * 20, "5"),
        ("account", "create", "a", "--deposit", "9" * 20),
        ("account", "show", "9" * 20),
        ("account", "show", "0"),
        ("account", "show", "operator"),
        ("depth", "9" * 14),
        ("event", "create", "\udcff bad"),
        ("event", "create", ""),
        ("market", "create", "1", "x" * 65),
        ("market", "create", "1", "x", "--taker-fee-bps", "9" * 12),
        ("order", "cancel", "a", "--market", "1", "--order", "9" * 20),
        ("order", "cancel", "a", "--all", "--market", "1", "--event", "1"),
        ("order", "cancel", "a", "--market", "1", "--order", "1", "--side", "bid"),
        ("order", "quote", "a", "--market", "1"),
        (*PLACE, "--price", "0.4", "--shares", "1e20"),
        (*PLACE, "--price", "4", "--shares", "1"),
        (*PLACE, "--price", "0.4", "--shares", "1", "--market", "9" * 14),
    ],
)
def test_wrong_usage_ends_with_code_two(words: tuple[str, ...]) -> None:
    """A script can tell a typing error from a failure."""
    assert run(*words)[0] == 2


def test_a_broken_configuration_is_named(tmp_path: Path) -> None:
    """`config check` ends with code 1 and the place in the file."""
    file = tmp_path / "node.toml"
    file.write_text("number = 'one'\n")
    code, text = run("config", "check", str(file))

    assert code == 1
    assert str(file) in text.replace("\n", "")


def test_a_profile_shows_every_limit_of_a_new_cluster() -> None:
    """Nothing that `apply` reads is hidden from whoever creates a cluster."""
    code, text = run("config", "check", "--profile", "dev", "--json")
    limits = json.loads(text)["genesis"]

    assert code == 0
    assert set(limits) == {limit.name.lower() for limit in Limit}
    assert limits["checkpoint_bytes"] == 16_777_216


def test_keys_are_made_once_and_never_printed(tmp_path: Path) -> None:
    """A second `init` leaves the key alone; `show` prints public halves only."""
    deployment = create_deployment(tmp_path / "cluster", Plan(3, 7_000, "default"))
    first, said = run("keys", "init", "alice", "--data", str(deployment.root), "--json")
    second, _ = run("keys", "init", "alice", "--data", str(deployment.root))
    code, shown = run("keys", "show", "--data", str(deployment.root), "--json")
    secret = deployment.key_file("alice").read_text().strip()

    assert (first, second, code) == (0, 1, 0)
    assert json.loads(said)["public_key"] in shown
    assert [key["name"] for key in json.loads(shown)] == ["operator", "alice"]
    assert secret not in said + shown


def test_amounts_are_exact_or_refused() -> None:
    """Nobody's money is rounded on the way in or out."""
    assert PRICE.convert("0.4", None, None) == 4_000
    assert SHARES.convert("2.5", None, None) == 250
    assert USDC.convert("0.000001", None, None) == 1
    assert (price(4_000), shares(1_234_567), usdc(-1_500_000)) == (
        "0.4000",
        "12,345.67",
        "-1.500000",
    )
    for wrong in ("0.00001", "nan", "infinity", "ten"):
        with pytest.raises(click.BadParameter):
            PRICE.convert(wrong, None, None)


def test_an_account_is_a_name_or_a_number() -> None:
    """A number is traded for by the operator, a name with its own key; other digits are names."""
    assert owner_of("\u00b2") == ("\u00b2", None)
    assert owner_of("17") == ("operator", 17)
    assert owner_of("alice") == ("alice", None)


@pytest.mark.parametrize("name", ["operator", "17", "\u00b2", "a/b", ""])
def test_an_account_must_have_a_name_that_finds_it_again(name: str, tmp_path: Path) -> None:
    """No account is opened, and no key made, that its name would not reach."""
    deployment = create_deployment(tmp_path / "cluster", Plan(3, 7_000, "default"))
    code, text = run("account", "create", name, "--data", str(deployment.root))

    assert code == 1
    assert "name" in text
    assert list((deployment.root / "keys").iterdir()) == []


def test_a_failure_that_nobody_foresaw_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Code 1 without a traceback, unless it is asked for."""

    def fail(**_: object) -> None:
        raise PermissionError(13, "Permission denied", "/root/book")

    monkeypatch.setattr("cluster.app.app.main", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    monkeypatch.setenv("QUORUMBOOK_TRACEBACK", "1")
    with pytest.raises(PermissionError):
        main()

    assert ended.value.code == 1
    assert "Permission denied: '/root/book'" in capsys.readouterr().err


def test_a_cluster_that_cannot_be_made_is_one_sentence() -> None:
    """A device or a folder of somebody else's is refused by name."""
    for place in ("/dev/null", "/proc/book"):
        code, text = run("up", "--detach", "--data", place)

        assert code == 1, text
        assert place in text
        assert isinstance(text, str)


def test_options_for_a_new_cluster_are_not_ignored_silently(tmp_path: Path) -> None:
    """Whoever asks an existing cluster for five nodes is told that it has three."""
    deployment = create_deployment(tmp_path / "cluster", Plan(3, 7_000, "default"))
    (deployment.folder(1) / "genesis.bin").write_bytes(b"QBGENES1" + bytes(16))
    (deployment.folder(1) / "log").rmdir()
    result = CliRunner().invoke(
        app, ["up", "--nodes", "5", "--detach", "--data", str(deployment.root)]
    )

    assert "exists, with 3 nodes: --nodes ignored" in result.stderr


def test_replies_are_promised_a_file_before_anything_is_sent(tmp_path: Path) -> None:
    """A proof that cannot be kept is refused first; a file that is none is named."""
    deployment = create_deployment(tmp_path / "cluster", Plan(3, 7_000, "default"))
    data = ("--data", str(deployment.root))
    flow = tmp_path / "flow.csv"
    flow.write_text("t_ms,market,action,ref,side,price,lots\n1,7,place,1,sell,10,5\n")
    nowhere = str(tmp_path / "none" / "replies.bin")
    refused, why = run("replay", str(flow), "--save-replies", nowhere, *data)
    missing, named = run("replay", "/nonexistent", *data)

    assert (refused, missing) == (1, 1)
    assert f"{nowhere} cannot be written" in why
    assert "line 0" not in named
