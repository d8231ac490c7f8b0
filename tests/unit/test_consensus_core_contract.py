"""What the consensus package relies on inside pysyncobj, name by name."""

import inspect
import re
from pathlib import Path
from random import Random

import pysyncobj.pickle
import pysyncobj.syncobj
import pysyncobj.version
import pytest
from pysyncobj import SyncObj

from chaos.simulation.disk import SimulatedDisk
from node.consensus import raft_core
from node.consensus.core_pin import check_core
from node.consensus.errors import UnsupportedCoreError
from node.consensus.journal import Journal
from node.consensus.raft_core import PRIVATE_FIELDS, PRIVATE_NAMES, RaftCore

SOURCE = inspect.getsource(pysyncobj.syncobj)


def test_any_other_pysyncobj_is_refused() -> None:
    """A newer version, or an edited source, does not load; the error says what to install."""
    source = Path(pysyncobj.syncobj.__file__).read_bytes()
    check_core(pysyncobj.version.VERSION, source)

    with pytest.raises(UnsupportedCoreError, match=r"pysyncobj==0\.3\.17"):
        check_core("0.3.18", source)
    with pytest.raises(UnsupportedCoreError, match="unmodified"):
        check_core("0.3.17", source + b"\n")


@pytest.mark.parametrize("name", PRIVATE_NAMES)
def test_each_private_method_relied_on_exists(name: str) -> None:
    """An override of a method that pysyncobj never calls would silently do nothing."""
    assert callable(getattr(SyncObj, name))
    called = name.removeprefix("_SyncObj")
    assert f"self.{called}(" in SOURCE or name in {"_applyCommand", "_getLeader"}


@pytest.mark.parametrize("name", PRIVATE_FIELDS)
def test_each_private_field_relied_on_exists(name: str) -> None:
    """A field set here that pysyncobj does not read would silently do nothing."""
    assert f"self.{name.removeprefix('_SyncObj')} = " in SOURCE


def test_every_private_part_used_is_named() -> None:
    """The lists above are complete."""
    used = set(re.findall(r"_SyncObj__\w+", inspect.getsource(raft_core)))

    named = (*PRIVATE_NAMES, *PRIVATE_FIELDS)
    assert used == {name for name in named if name.startswith("_SyncObj__")}


@pytest.mark.parametrize("name", ["dump", "dumps", "load", "loads"])
def test_pickle_is_disabled(name: str) -> None:
    """Whatever path inside pysyncobj might pickle, it raises instead."""
    with pytest.raises(AssertionError, match="pickle"):
        getattr(pysyncobj.pickle, name)(b"")


def test_the_constructor_takes_our_journal_and_leaves_the_module_as_it_was() -> None:
    """`createJournal` is replaced during construction only."""
    before = pysyncobj.syncobj.createJournal
    journal = Journal(Path("/journal"), files=SimulatedDisk(Random(1)))

    core = RaftCore(1, [2, 3], journal, lambda *_entry: None)

    assert pysyncobj.syncobj.createJournal is before
    assert core.journal.entries == [(b"\x01", 1, 0)]


def test_an_apply_that_raises_is_not_retried() -> None:
    """The exception reaches the driver, which stops the process; nothing counts as applied."""
    journal = Journal(Path("/journal"), files=SimulatedDisk(Random(1)))
    calls: list[int] = []

    def apply(index: int, _term: int, _group: bytes) -> None:
        calls.append(index)
        raise ZeroDivisionError

    core = RaftCore(1, [2, 3], journal, apply)
    core.receive_append(2, 1, (1, 0), [(b"\x00x", 2, 1)], 2)

    with pytest.raises(ZeroDivisionError):
        core.apply_committed(lambda: False)
    assert calls == [2]
    assert core.applied_index == 1


def test_applying_yields_to_the_loop() -> None:
    """A long replay is done in slices, so that heartbeats go on."""
    journal = Journal(Path("/journal"), files=SimulatedDisk(Random(1)))
    core = RaftCore(1, [2, 3], journal, lambda *_entry: None)
    entries = [(b"\x00x", index, 1) for index in range(2, 12)]
    core.receive_append(2, 1, (1, 0), entries, 11)

    assert core.apply_committed(lambda: True) == 1
    assert core.apply_committed(lambda: False) == 9
