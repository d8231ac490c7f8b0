"""docs/protocol.md against the code: every table, every number, and the worked example."""

import dataclasses
import re
import struct
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest
from nacl.signing import SigningKey

from node.domain import commands, events, records, replies
from node.domain.codes import Code
from node.domain.command_types import CommandType
from node.domain.identifiers import NAME_SIZE
from node.domain.limits import LIMIT_COUNT
from node.gateway.gateway_limits import GatewayLimits
from node.protocol import messages
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import (
    encode_challenge,
    encode_login,
    encode_login_accepted,
    encode_refused,
)
from node.protocol.handshake import TRANSITIONS, State, Step
from node.protocol.login import LOGIN_STATEMENT_SIZE, login_statement
from node.protocol.refusals import Refusal, closes

DOCUMENT = Path(__file__).parents[2] / "docs" / "protocol.md"
WIDTHS = {"i16": 2, "i32": 4, "i64": 8}

PREFIXES: dict[str, tuple[ModuleType, tuple[str, ...]]] = {
    "CHALLENGE": (messages, ("CHALLENGE",)),
    "LOGIN": (messages, ("LOGIN",)),
    "LOGIN_ACCEPTED": (messages, ("ACCEPTED",)),
    "REFUSED": (messages, ("REFUSED",)),
    "REDIRECT": (messages, ("REDIRECT",)),
    "HEARTBEAT": (messages, ("HEARTBEAT",)),
    "SUBSCRIBE": (messages, ("SUBSCRIBE",)),
    "UNSUBSCRIBE": (messages, ("UNSUBSCRIBE",)),
    "UNSUBSCRIBED": (messages, ("UNSUBSCRIBE",)),
    "SUBSCRIBED": (messages, ("SUBSCRIBED",)),
    "DEPTH_LEVELS": (messages, ("LEVELS",)),
    "QUERY": (messages, ("QUERY",)),
    "ANSWER": (messages, ("ANSWER",)),
    "PREVIEW": (messages, ("PREVIEW",)),
    "PLACE": (commands, ("PLACE",)),
    "PLACE_WITH_TERMS": (commands, ("TERMS",)),
    "CANCEL": (commands, ("TARGET",)),
    "REDUCE": (commands, ("TARGET", "REDUCE")),
    "AMEND": (commands, ("TARGET", "AMEND")),
    "REPLACE": (commands, ("TARGET", "REPLACE")),
    "QUOTE": (commands, ("QUOTE",)),
    "LEG record": (commands, ("LEG",)),
    "ORDER_GROUP_SET": (commands, ("ORDER_GROUP", "ORDER_GROUP_SET")),
    "ORDER_GROUP_RESET": (commands, ("ORDER_GROUP",)),
    "ORDER_GROUP_TRIGGER": (commands, ("ORDER_GROUP",)),
    "SPLIT": (commands, ("SETS",)),
    "MERGE": (commands, ("SETS",)),
    "SUBACCOUNT_OPEN": (commands, ("SUBACCOUNT_OPEN",)),
    "TRANSFER": (commands, ("TRANSFER",)),
    "WITHDRAW_REQUEST": (commands, ("WITHDRAW_REQUEST",)),
    "AGENT_SET": (commands, ("AGENT_SET",)),
    "AGENT_REVOKE": (commands, ("AGENT_REVOKE",)),
    "STOP": (commands, ("STOP",)),
    "STOP_LIFT": (commands, ("STOP",)),
    "DEADLINE_SET": (commands, ("DEADLINE_SET",)),
    "ON_DISCONNECT": (commands, ("ON_DISCONNECT",)),
    "BOUNDS_SET": (commands, ("BOUNDS_SET",)),
    "SESSION_GONE": (commands, ("SESSION_GONE",)),
    "WITHDRAW_CONFIRM": (commands, ("WITHDRAW",)),
    "WITHDRAW_REJECT": (commands, ("WITHDRAW",)),
    "DISPUTE": (commands, ("DISPUTE",)),
    "ATTEST": (commands, ("ATTEST",)),
    "PROPOSE": (commands, ("PROPOSE",)),
    "DECIDE": (commands, ("PROPOSE",)),
    "CONVERT": (commands, ("CONVERT",)),
    "MERGE_OUTCOMES": (commands, ("OUTCOMES",)),
    "EVENT_RESOLVE": (commands, ("EVENT_RESOLVE",)),
    "OUTCOME_NAME": (commands, ("OUTCOME_NAME",)),
    "ACCOUNT_OPEN": (commands, ("ACCOUNT_OPEN",)),
    "DEPOSIT": (commands, ("DEPOSIT",)),
    "EVENT_CREATE": (commands, ("EVENT_CREATE",)),
    "MARKET_CREATE": (commands, ("MARKET_CREATE",)),
    "MARKET_RESOLVE": (commands, ("LIFECYCLE",)),
    "KEY_GRANT": (commands, ("KEY",)),
    "CONFIGURE": (commands, ("CONFIGURE",)),
    "SCHEDULE_CREATE": (commands, ("SCHEDULE_CREATE",)),
    "SCHEDULE_ASSIGN": (commands, ("SCHEDULE_ASSIGN",)),
    "FEE_ACCOUNT_NAME": (commands, ("FEE_ACCOUNT_NAME",)),
    "GRID_SET": (commands, ("GRID_SET",)),
    "GUARDS_SET": (commands, ("GUARDS_SET",)),
    "AUCTION_CALL": (commands, ("AUCTION_CALL",)),
    "MARKET_TIMES": (commands, ("TIMES",)),
    "PAUSE": (commands, ("PAUSE",)),
    "SESSION_OPEN": (commands, ("SESSION_OPEN",)),
    "REPLY": (replies, ("REPLY",)),
    "Event header": (events, ("EVENT",)),
    "ORDER_RESTED": (events, ("RESTED",)),
    "ORDER_FILLED": (events, ("FILLED",)),
    "ORDER_REDUCED": (events, ("REDUCED",)),
    "ORDER_CLOSED": (events, ("CLOSED",)),
    "ORDER_AMENDED": (events, ("AMENDED",)),
    "ORDER_GROUP_CHANGED": (events, ("ORDER_GROUP",)),
    "DEPOSITED": (events, ("DEPOSITED",)),
    "SETS_CHANGED": (events, ("SETS_CHANGED",)),
    "REDEEMED": (events, ("REDEEMED",)),
    "FEE_RECEIVED": (events, ("FEE_RECEIVED",)),
    "TRANSFERRED": (events, ("TRANSFERRED",)),
    "WITHDRAWAL": (events, ("WITHDRAWAL",)),
    "STOPPED": (events, ("STOPPED",)),
    "STOP_LIFTED": (events, ("STOPPED",)),
    "AGENT_CHANGED": (events, ("AGENT_CHANGED",)),
    "BOUNDS_CHANGED": (events, ("BOUNDS_CHANGED",)),
    "SUBACCOUNT_OPENED": (events, ("SUBACCOUNT_OPENED",)),
    "FILL": (events, ("FILL",)),
    "DEPTH": (events, ("DEPTH",)),
    "MARKET_STATE": (events, ("MARKET_STATE",)),
    "MARKET_CREATED": (events, ("MARKET_CREATED",)),
    "SCHEDULE_CHANGED": (events, ("SCHEDULE_CHANGED",)),
    "GRID_CHANGED": (events, ("GRID_CHANGED",)),
    "MARKET_PAUSED": (events, ("MARKET_PAUSED",)),
    "GUARDS_CHANGED": (events, ("GUARDS_CHANGED",)),
    "RESOLUTION_PROPOSED": (events, ("RESOLUTION_PROPOSED",)),
    "RESOLUTION_DISPUTED": (events, ("RESOLUTION_DISPUTED",)),
    "ATTESTED": (events, ("ATTESTED",)),
    "CONVERTED": (events, ("CONVERTED",)),
    "OUTCOMES_MERGED": (events, ("OUTCOMES_MERGED",)),
    "OUTCOME_NAMED": (events, ("OUTCOME_NAMED",)),
    "AUCTION_PRICED": (events, ("AUCTION_PRICED",)),
    "AUCTION_SCHEDULED": (events, ("AUCTION_SCHEDULED",)),
    "MARKET_PAUSE_SET": (events, ("MARKET_PAUSE_SET",)),
    "MARKET_TIMES_SET": (events, ("MARKET_TIMES_SET",)),
    "PAUSE_SET": (events, ("PAUSE_SET",)),
    "ACCOUNT_OPENED": (events, ("ACCOUNT_OPENED",)),
    "EVENT_CREATED": (events, ("EVENT_CREATED",)),
    "KEY_GRANTED": (events, ("KEY_EVENT",)),
    "KEY_REVOKED": (events, ("KEY_EVENT",)),
    "CONFIGURED": (events, ("CONFIGURED",)),
    "SESSION_OPENED": (events, ("SESSION_EVENT",)),
    "SESSION_REFUSED": (events, ("SESSION_EVENT",)),
    "SESSION_EVICTED": (events, ("SESSION_EVICTED",)),
    "ACCOUNT record": (records, ("ACCOUNT",)),
    "POSITION record": (records, ("POSITION",)),
    "ORDER record": (records, ("ORDER",)),
    "MARKET record": (records, ("MARKET",)),
    "EVENT record": (records, ("EVENT",)),
    "PREVIEWED record": (records, ("PREVIEWED",)),
    "GROUP record": (records, ("GROUP",)),
    "CLEARING record": (records, ("CLEARING",)),
    "TIMES record": (records, ("TIMES",)),
    "RESOLUTION record": (records, ("RESOLUTION",)),
    "PAUSE record": (records, ("PAUSE",)),
    "STOP record": (records, ("STOP",)),
    "LEVEL record": (records, ("LEVEL",)),
    "TREASURY record": (records, ("TREASURY",)),
    "SCHEDULE record": (records, ("SCHEDULE",)),
    "RULES record": (records, ("RULES",)),
    "VENUE record": (records, ("VENUE",)),
}
"""Whose offsets each section documents; sections of orders also have the shared offsets below."""

SHARED = {
    "ORDER_RESTED": (events, "ORDER"),
    "ORDER_FILLED": (events, "ORDER"),
    "ORDER_REDUCED": (events, "ORDER"),
    "ORDER_CLOSED": (events, "ORDER"),
    "ORDER_AMENDED": (events, "ORDER"),
}


NO_OFFSETS = {"LEVELS_PER_FRAME", "QUOTE_LEGS"}


class Row(NamedTuple):
    """One line of a layout table."""

    offset: int
    kind: str
    field: str


class Section(NamedTuple):
    """One layout: its name, its type (None for a record) and size, and its fields."""

    name: str
    type: int | None
    size: int
    rows: list[Row]


def sections() -> list[Section]:
    """Read every layout of the document."""
    found = []
    for chapter in re.split(r"^### ", DOCUMENT.read_text(), flags=re.MULTILINE)[1:]:
        part = chapter.split("\n## ", 1)[0]
        title = re.match(r"([\w ]+): (?:type (\d+), )?(\d+) bytes", part)
        if title is None:
            continue
        rows = [
            Row(int(offset), kind, field)
            for offset, kind, field in re.findall(
                r"^\| (\d+) \| ([\w ]+) \| (\w+) \|", part, re.MULTILINE
            )
        ]
        number = int(title[2]) if title[2] else None
        found.append(Section(title[1], number, int(title[3]), rows))
    return found


def rows_of(heading: str) -> list[list[str]]:
    """Read the table under a heading of the document."""
    part = DOCUMENT.read_text().split(f"{heading}\n", 1)[1].split("\n#", 1)[0]
    lines = [line for line in part.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def is_offset(module: ModuleType, prefix: str, name: str) -> bool:
    """Tell whether a constant is an offset of this layout: no type, no size, and of no other."""
    if name.endswith("_SIZE") or name in NO_OFFSETS:
        return False
    longer = {
        other
        for of, others in [*PREFIXES.values(), *((m, (p,)) for m, p in SHARED.values())]
        for other in others
        if of is module and other.startswith(f"{prefix}_")
    }
    kinds = {*CommandType.__members__, *events.EventType.__members__}
    is_kind = module is not records and name in kinds | {*messages.MessageType.__members__}
    return not is_kind and not any(name.startswith(f"{one}_") for one in longer)


@pytest.mark.parametrize("section", sections(), ids=lambda section: section.name)
def test_every_layout_is_contiguous_and_of_its_size(section: Section) -> None:
    """The fields of a table follow each other without a hole and end at the title's size."""
    is_event = section.type is not None and 160 <= section.type < 256
    expected = 40 if is_event else 0 if section.name.endswith("record") else 8
    for row in section.rows:
        assert row.offset == expected, row
        if row.kind != "records":
            expected += WIDTHS.get(row.kind) or int(row.kind.removeprefix("bytes "))
    assert expected == section.size


@pytest.mark.parametrize(
    "section", [one for one in sections() if one.name in PREFIXES], ids=lambda section: section.name
)
def test_every_offset_in_the_code_is_documented(section: Section) -> None:
    """Each offset constant of a layout is the offset of the row of its name."""
    by_field = {row.field: row.offset for row in section.rows}
    module, prefixes = PREFIXES[section.name]
    own = [(module, prefix) for prefix in prefixes]
    for where, prefix in [*own, *([SHARED[section.name]] if section.name in SHARED else [])]:
        for name, value in vars(where).items():
            field = name.removeprefix(f"{prefix}_").lower()
            if name.startswith(f"{prefix}_") and is_offset(where, prefix, name):
                assert by_field.get(field, by_field.get(name.lower())) == value, name
    size = {"REDIRECT": messages.REDIRECT_SIZE}.get(section.name)
    size = size or getattr(module, f"{prefixes[-1]}_SIZE", None)
    if section.name == "CANCEL":
        size = commands.CANCEL_SIZE
    if section.name == "Event header":
        size = events.EVENT_HEADER_SIZE
    if section.name == "VENUE record":
        size = records.VENUE_LIMITS + 8 * LIMIT_COUNT
    if section.name in {"DEPTH_LEVELS", "ANSWER"}:
        size = 48
    assert section.size == size


def test_every_frame_type_has_its_section() -> None:
    """Commands, replies, events and messages: each is documented with its number and size."""
    documented = {(one.name, one.type) for one in sections() if one.type is not None}
    expected = {(kind.name, int(kind)) for kind in CommandType}
    expected |= {(kind.name, int(kind)) for kind in events.EventType}
    expected |= {(kind.name, int(kind)) for kind in messages.MessageType}
    expected.add(("REPLY", replies.REPLY))
    assert documented == expected
    sizes = {one.type: one.size for one in sections()}
    for kind, size in {**commands.COMMAND_SIZES, **messages.CLIENT_MESSAGE_SIZES}.items():
        assert sizes[kind] == size


def test_codes_and_refusals_are_listed() -> None:
    """The two tables of errors hold every number and name, and which refusals close."""
    assert {(int(row[0]), row[1]) for row in rows_of("## Codes")} == {
        (code.value, code.name) for code in Code
    }
    assert {(int(row[0]), row[1], row[2] == "yes") for row in rows_of("## Refusals")} == {
        (one.value, one.name, closes(one)) for one in Refusal
    }


def test_limits_are_listed_with_their_defaults() -> None:
    """Every limit of a gateway is in the document, with the default that it has."""
    assert {row[0]: int(row[1].replace(",", "")) for row in rows_of("## Limits of a node")} == {
        field.name: field.default for field in dataclasses.fields(GatewayLimits)
    }


def test_the_table_of_states_is_the_code_s() -> None:
    """Every transition is in the document and no other."""
    assert {tuple(row) for row in rows_of("### States")} == {
        (State(state).name, Step(step).name, State(to).name)
        for (state, step), to in TRANSITIONS.items()
    }


def test_the_login_statement_is_documented() -> None:
    """The table of what a login signs is contiguous and as long as the statement."""
    expected = 0
    for offset, kind, *_ in rows_of("### What a login signs"):
        assert int(offset) == expected
        expected += WIDTHS.get(kind) or int(kind.removeprefix("bytes "))
    assert expected == LOGIN_STATEMENT_SIZE


def test_subjects_are_listed() -> None:
    """The table of queries has every subject by number and name."""
    assert {row[0] for row in rows_of("### Queries")} == {
        f"{subject.value} {subject.name}" for subject in messages.Subject
    }


def examples() -> dict[str, bytes]:
    """Return the frames of the worked example."""
    key = SigningKey(bytes(range(32)))
    public = bytes(key.verify_key)
    cluster_id, nonce = bytes(range(0x10, 0x20)), bytes(range(0x20, 0x40))
    statement = login_statement(cluster_id, 1, nonce, 1, messages.TRADE, 0, 1_024, public)
    place = CommandFrames(1)
    place.place(1, 1, 7, 4_000, 1, 1, 100)
    frame = place.take()
    return {
        "CHALLENGE": encode_challenge(1, 1, 1, cluster_id, nonce, 5_000, 1_000),
        "What is signed": statement,
        "LOGIN": encode_login(1, 1, 0, 1_024, public, key.sign(statement).signature),
        "LOGIN_ACCEPTED": encode_login_accepted(3, 1_024, 1, 12, 2, 1, 1, 1, 1),
        "PLACE": frame,
        "The same in the log": struct.pack("<ii", 3, 0) + frame,
        "REPLY": struct.pack("<ihhiiqqqq", 48, replies.REPLY, 0, 3, 0, 1, 13, 1, 0),
        "REFUSED, had the sequence been 3": encode_refused(
            Refusal.SEQUENCE_GAP, closing=False, resend_from=1, detail=3
        ),
    }


@pytest.mark.parametrize("name", list(examples()))
def test_the_worked_example_is_what_the_code_writes(name: str) -> None:
    """Each frame of the example, byte for byte."""
    after = DOCUMENT.read_text().split(f"\n{name}:\n", 1)[1]
    assert bytes.fromhex(after.split("```")[1].replace("\n", " ")) == examples()[name]


def test_names_fill_their_field() -> None:
    """Names have 64 bytes in every layout."""
    names = [row.kind for section in sections() for row in section.rows if row.field == "name"]
    assert names
    assert set(names) == {f"bytes {NAME_SIZE}"}
