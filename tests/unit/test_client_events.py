"""What the client makes of an event, against the document: field by field, to the last byte."""

import pytest

from client.event_header import Header
from client.events import OtherEvent, parse_event
from tests.unit.test_protocol_document import WIDTHS, Section, sections

EVENTS = [one for one in sections() if one.type is not None and 160 <= one.type < 256]


def width(kind: str) -> int:
    """Return how many bytes a field of a documented type has."""
    return WIDTHS.get(kind) or int(kind.removeprefix("bytes "))


def filled(section: Section) -> tuple[bytes, list[int | bytes]]:
    """Return an event whose bytes all differ from their neighbours, and its fields in order."""
    frame = bytearray(section.size)
    frame[0:4] = section.size.to_bytes(4, "little")
    frame[4:6] = (section.type or 0).to_bytes(2, "little")
    fields: list[int | bytes] = []
    for row in section.rows:
        if row.offset < 40:
            continue
        size = width(row.kind)
        content = bytes(1 + (row.offset + place) % 101 for place in range(size))
        frame[row.offset : row.offset + size] = content
        if row.field != "reserved":
            is_number = row.kind in WIDTHS
            fields.append(int.from_bytes(content, "little") if is_number else content)
    return bytes(frame), fields


@pytest.mark.parametrize("section", EVENTS, ids=lambda section: section.name)
def test_every_documented_event_is_decoded_field_by_field(section: Section) -> None:
    """A class for each kind, whose fields are the document's, in its order."""
    frame, fields = filled(section)
    event = parse_event(frame)
    assert not isinstance(event, OtherEvent)
    assert event.header == Header(section.type or 0, 0, 0, 0, 0, 0)
    assert list(event[1:]) == fields
