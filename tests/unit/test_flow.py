"""Order flow: reading, generating, and turning it into frames."""

import gzip
from collections import Counter
from pathlib import Path
from struct import unpack_from

import pytest

from cluster.flow import PLACE, REDUCE, TAKE, FlowError, FlowRow, read_flow, write_flow
from cluster.flow_frames import FRAME_SIZE, MAKERS, TAKER, encode, participant, split
from cluster.flow_generator import generate_flow
from cluster.flow_rejections import GONE, NEVER_PLACED, explain_rejections
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


def test_a_rejection_is_explained_by_what_came_before_or_not_at_all() -> None:
    """Only an order that was there, and that reductions left something of, can be filled."""
    rows = [
        FlowRow(0, 0, PLACE, 1, "buy", 5_000, 10),
        FlowRow(1, 0, REDUCE, 1, "buy", 5_000, 4),
        FlowRow(2, 0, REDUCE, 1, "buy", 5_000, 6),
        FlowRow(3, 0, PLACE, 2, "buy", 5_000, 10),
        FlowRow(4, 0, REDUCE, 2, "buy", 5_000, 6),
        FlowRow(5, 0, REDUCE, 3, "buy", 5_000, 6),
        FlowRow(6, 0, REDUCE, 1, "buy", 5_000, 6),
    ]
    codes = [
        Code.OK,
        Code.OK,
        Code.UNKNOWN_ORDER,
        Code.PRICE_OFF_TICK,
        *[Code.UNKNOWN_ORDER] * 2,
        Code.OK,
    ]
    found = {(one.code, one.why): one.commands for one in explain_rejections([(rows, codes)])}

    assert found == {
        ("UNKNOWN_ORDER", GONE): 1,
        ("PRICE_OFF_TICK", ""): 1,
        ("UNKNOWN_ORDER", NEVER_PLACED): 1,
        ("UNKNOWN_ORDER", ""): 1,
    }
