"""Every invariant that a simulated cluster is watched by: a later feature adds its own here."""

from typing import Final

from chaos.simulation.invariants.auctions import CallsClear
from chaos.simulation.invariants.clients import EverythingEnds, ExactlyOnce, StreamsAreGapless
from chaos.simulation.invariants.consensus import (
    CommitNeverGoesBack,
    DurableOnAQuorum,
    LeadersKnowAll,
    OneLeaderATerm,
    OneLog,
    TimeGoesOn,
)
from chaos.simulation.invariants.fills import FillsAreFair
from chaos.simulation.invariants.groups import GroupsKeepTheirLimits
from chaos.simulation.invariants.guards import PricesPause
from chaos.simulation.invariants.invariant import Invariant
from chaos.simulation.invariants.promises import PromisesAreKept
from chaos.simulation.invariants.reads import FeedsAreExact, ReadsAreLinearizable
from chaos.simulation.invariants.venue import (
    BooksAreSound,
    MoneyIsConserved,
    SnapshotsRestore,
    StopsHold,
)

INVARIANTS: Final[tuple[type[Invariant], ...]] = (
    OneLeaderATerm,
    LeadersKnowAll,
    OneLog,
    TimeGoesOn,
    CommitNeverGoesBack,
    DurableOnAQuorum,
    MoneyIsConserved,
    BooksAreSound,
    StopsHold,
    FillsAreFair,
    PricesPause,
    GroupsKeepTheirLimits,
    PromisesAreKept,
    CallsClear,
    StreamsAreGapless,
    ReadsAreLinearizable,
    FeedsAreExact,
    ExactlyOnce,
    EverythingEnds,
    SnapshotsRestore,
)
