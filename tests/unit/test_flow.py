"""Order flow: reading, generating, and turning it into frames."""

import gzip
from collections import Counter
from pathlib import Path
from struct import unpack_from

import pytest

from cluster.flow import PLACE, REDUCE, TAKE, FlowError, FlowRow, read_flow, write_flow
from cluster.flow_frames import FRAME_SIZE, MAKERS, TAKER, encode, participant, split
from cluster.flow_generator import generate_flow
from cluster.flow_rejections import (
    GONE,
    NEVER_PLACED,
    PLACED_TWICE,
    Name,
    Sent,
    explain_rejections,
    orders_in_question,
)
from node.domain import commands, terms
from node.domain.codes import Code

HEADER = "t_ms,market,action,ref,side,price,lots\n"
ACCOUNTS = range(1, 1_002)


def test_a_recording_is_read_with_markets_in_order_of_appearance(tmp_path: Path) -> None:
    """Runners keep the recording's names and get dense numbers."""
    file = tmp_path / "race.csv.gz"
    file.write_bytes(
        gzip.compress(
            (
                HEADER + "1,77,place,1,sell,9901,5\n2,33,place,2,buy,5,6\n3,77,take,,buy,9901,1\n"
            ).encode()
        )
    )
    flow = read_flow(file)

    assert flow.runners == ("77", "33")
    assert flow.rows[1] == FlowRow(2, 1, PLACE, 2, "buy", 5, 6)
    assert flow.rows[2].ref == 0


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,7,place,1,sell,10000,5", "line 2: price 10000"),
        ("1,7,place,1,hold,10,5", "the side 'hold'"),
        ("1,7,pay,1,sell,10,5", "the action 'pay'"),
        ("1,7,place,1,sell,10,0", "0 lots"),
        ("1,7,reduce,,sell,10,5", "needs a ref"),
        ("1,7,place,x,sell,10,5", "line 2: invalid literal"),
        ("1,7,place", "line 2: not enough values"),
        ("", "holds no rows"),
    ],
)
def test_a_broken_recording_is_refused_with_its_line(
    tmp_path: Path, line: str, reason: str
) -> None:
    """Whoever made the file is told where it is wrong."""
    file = tmp_path / "broken.csv"
    file.write_text(HEADER + (line + "\n" if line else ""))

    with pytest.raises(FlowError, match=reason):
        read_flow(file)


def test_a_file_that_is_not_gzip_is_refused(tmp_path: Path) -> None:
    """A broken archive gives a message, not a traceback."""
    file = tmp_path / "broken.csv.gz"
    file.write_bytes(b"not gzip")

    with pytest.raises(FlowError, match="cannot be read"):
        read_flow(file)


def test_equal_seeds_give_equal_flows_and_others_differ() -> None:
    """A generated flow can be named by its seed."""
    assert generate_flow(2_000, seed=5) == generate_flow(2_000, seed=5)
    assert generate_flow(2_000, seed=5).rows != generate_flow(2_000, seed=6).rows


def test_a_generated_flow_survives_its_file(tmp_path: Path) -> None:
    """What is written is what is read."""
    flow = generate_flow(500, runners=3)
    file = tmp_path / "flow.csv.gz"
    write_flow(file, flow.rows)
    numbers = [int(name) for name in read_flow(file).runners]
    read = [row._replace(market=numbers[row.market]) for row in read_flow(file).rows]

    assert tuple(read) == flow.rows


def test_a_generated_flow_has_the_shape_of_a_betting_exchange() -> None:
    """About half places, half reductions, few takes.

    Every reduction names an order that has something left.
    """
    flow = generate_flow(20_000)
    actions = Counter(row.action for row in flow.rows)
    left: dict[int, int] = {}
    for row in flow.rows:
        if row.action == PLACE:
            left[row.ref] = row.lots
        elif row.action == REDUCE:
            left[row.ref] -= row.lots

    assert 0.4 < actions[PLACE] / 20_000 < 0.6
    assert 0.4 < actions[REDUCE] / 20_000 < 0.6
    assert 0 < actions[TAKE] / 20_000 < 0.05
    assert min(left.values()) >= 0


def test_a_sell_is_entered_as_buying_no() -> None:
    """Participants own no shares: a sell at p is a NO at 1 - p."""
    row = FlowRow(0, 0, PLACE, 7, "sell", 9_901, 5)
    frame = encode([row], ACCOUNTS, [3], first_sequence=11)

    assert len(frame) == FRAME_SIZE == unpack_from("<i", frame)[0]
    assert unpack_from("<q", frame, commands.COMMAND_SEQUENCE)[0] == 11
    assert unpack_from("<i", frame, commands.ACCOUNT)[0] == ACCOUNTS[7]
    assert unpack_from("<i", frame, commands.MARKET)[0] == 3
    assert unpack_from("<i", frame, commands.PLACE_PRICE)[0] == 99
    assert unpack_from("<h", frame, commands.PLACE_INTENT)[0] == terms.BUY_NO
    assert unpack_from("<q", frame, commands.PLACE_CLIENT_ORDER_ID)[0] == 7


def test_a_take_is_immediate_or_cancel_of_the_last_participant() -> None:
    """Takes belong to participant 1000 and leave nothing behind."""
    frame = encode([FlowRow(0, 0, TAKE, 0, "buy", 5_000, 5)], ACCOUNTS, [1])

    assert unpack_from("<i", frame, commands.ACCOUNT)[0] == ACCOUNTS[TAKER]
    assert unpack_from("<h", frame, commands.PLACE_TIME_IN_FORCE)[0] == terms.IOC


def test_senders_share_no_participant() -> None:
    """However many connections there are, one participant's actions stay in order."""
    flow = generate_flow(5_000)
    parts = split(flow.rows, 4)
    owners = [{participant(row) for row in part} for part in parts]

    assert sum(len(part) for part in parts) == len(flow.rows)
    assert sum(len(owner) for owner in owners) == len(set().union(*owners)) <= MAKERS + 1


class FakeLog:
    """What a log did to each order, by index."""

    def __init__(self, taken: dict[Name, list[tuple[int, int]]]) -> None:
        """Take (index, lots) off each order."""
        self.taken = taken

    def gone(self, name: Name, index: int) -> int:
        """Return the lots gone up to `index`."""
        return sum(lots for at, lots in self.taken.get(name, []) if at <= index)


def test_a_rejection_is_explained_only_by_what_the_log_did() -> None:
    """An order that the venue merely lost is not taken for one that was filled."""

    def place(ref: int) -> FlowRow:
        return FlowRow(0, 0, PLACE, ref, "buy", 5_000, 10)

    def reduce(ref: int) -> FlowRow:
        return FlowRow(0, 0, REDUCE, ref, "buy", 5_000, 4)

    ok, unknown, in_use = Code.OK, Code.UNKNOWN_ORDER, Code.CLIENT_ORDER_ID_IN_USE
    told = [
        (place(1), ok),
        (reduce(1), ok),
        (reduce(1), unknown),  # 4 reduced and 6 filled by then.
        (place(2), ok),
        (reduce(2), unknown),  # Half of it was filled: the rest is lost.
        (place(3), Code.PRICE_OFF_TICK),
        (reduce(3), unknown),
        (reduce(4), unknown),  # The flow never placed it.
        (place(2), in_use),
        (place(1), in_use),  # Its name had been free again.
        (FlowRow(0, 0, TAKE, 0, "buy", 5_000, 4), Code.INSUFFICIENT_FUNDS),
    ]
    rows, codes = zip(*told, strict=True)
    sent = [Sent(rows, codes, range(10, 10 + len(rows)))]
    log = FakeLog({(2, 1): [(11, 4), (12, 6)], (3, 2): [(13, 5)]})
    found = {(one.code, one.why): one.commands for one in explain_rejections(sent, ACCOUNTS, log)}

    assert found == {
        ("UNKNOWN_ORDER", GONE): 1,
        ("UNKNOWN_ORDER", NEVER_PLACED): 1,
        ("UNKNOWN_ORDER", ""): 2,
        ("PRICE_OFF_TICK", ""): 1,
        ("CLIENT_ORDER_ID_IN_USE", PLACED_TWICE): 1,
        ("CLIENT_ORDER_ID_IN_USE", ""): 1,
        ("INSUFFICIENT_FUNDS", ""): 1,
    }
    assert orders_in_question(sent, ACCOUNTS) == {(2, 1), (3, 2), (4, 3), (5, 4)}
