"""The engine alone: a flow applied in groups, decoding, events and chain digest included.

`python -m tests.benchmarks.engine`.

Prints one JSON object: runs in commands a second, and the chain digest, by which two forms show
that they did the same.
"""

import gc
import json
import sys
from pathlib import Path
from time import perf_counter_ns

from cluster.flow import Flow, read_flow
from cluster.flow_frames import FRAME_SIZE, PARTICIPANTS, encode
from cluster.flow_generator import generate_flow
from node._pure import build_form
from node.consensus.log_group import build_group
from node.domain import commands, terms
from node.domain.codes import Code
from node.domain.genesis import Genesis, default_limits
from node.engine.venue import Venue
from node.protocol.command_frames import CommandFrames
from node.protocol.encoding import encode_session_open

OPERATOR_KEY = bytes(range(32))
GROUP_COMMANDS = 500
RUNS = 5
SESSION = (1).to_bytes(8, "little")
DEPOSIT_MICRO_USDC = 10_000_000_000_000
STAMP_NS = 1_700_000_000_000_000_000


def main(arguments: list[str]) -> None:
    """Measure the flow in the file given, or a generated one, and print the result."""
    flow = read_flow(Path(arguments[0])) if arguments else generate_flow(100_000)
    print(json.dumps(measure(flow)))


def measure(flow: Flow) -> dict[str, object]:
    """Apply the whole flow `RUNS` times, each to a fresh venue, and return the speeds."""
    groups = _groups(flow)
    speeds: list[int] = []
    digests: set[str] = set()
    venue = None
    for _ in range(RUNS):
        venue = _stage(flow)
        gc.collect()
        gc.freeze()
        gc.disable()
        seconds = _apply(venue, groups)
        gc.enable()
        gc.unfreeze()
        speeds.append(int(len(flow.rows) / seconds))
        digests.add(venue.digest.hex())
    assert venue is not None
    rejections = {
        Code(number).name: count for number, count in enumerate(venue.rejections) if count
    }
    assert len(digests) == 1  # Every run is the same run.
    return {
        "form": build_form(),
        "flow": flow.name,
        "commands": len(flow.rows),
        "fills": venue.state.treasury.fills,
        "rejections": rejections,
        "group_commands": GROUP_COMMANDS,
        "per_second": speeds,
        "median": sorted(speeds)[len(speeds) // 2],
        "chain_digest": digests.pop(),
    }


def _apply(venue: Venue, groups: list[bytes]) -> float:
    index = venue.log_index
    begun = perf_counter_ns()
    for group in groups:
        index += 1
        venue.apply(index, group)
    return (perf_counter_ns() - begun) / 1e9


def _stage(flow: Flow) -> Venue:
    venue = Venue(Genesis(b"benchmark-engine", 0, OPERATOR_KEY, default_limits()))
    opening = encode_session_open(OPERATOR_KEY, 8_192, bytes(32), bytes(64))
    venue.apply(1, build_group([opening], 1, STAMP_NS))
    out = CommandFrames(1)
    out.event_create(True, flow.name[:64])
    for runner in flow.runners:
        out.market_create(1, 1, 0, 0, runner)
    for number in range(1, len(flow.runners) + 1):
        out.lifecycle(commands.MARKET_OPEN, number, 0)
    venue.apply(2, _group_of(out))
    for number in range(1, PARTICIPANTS + 1):
        identity = number.to_bytes(32, "big")
        out.account_open(terms.NET, identity[12:], identity)
        out.deposit(number, DEPOSIT_MICRO_USDC, number)
    venue.apply(3, _group_of(out))
    assert sum(venue.rejections) == 0  # The stage stands before anything is measured.
    return venue


def _group_of(out: CommandFrames) -> bytes:
    frames = out.take()
    records = []
    offset = 0
    while offset < len(frames):
        length = int.from_bytes(frames[offset : offset + 4], "little")
        records.append(SESSION + frames[offset : offset + length])
        offset += length
    return build_group(records, len(records), STAMP_NS)


def _groups(flow: Flow) -> list[bytes]:
    """Return the flow as groups whose sequences go on where the stage's end."""
    sequence = 2 + 2 * len(flow.runners) + 2 * PARTICIPANTS
    frames = bytes(
        encode(flow.rows, range(1, PARTICIPANTS + 1), range(1, len(flow.runners) + 1), sequence)
    )
    records = [SESSION + frames[at : at + FRAME_SIZE] for at in range(0, len(frames), FRAME_SIZE)]
    parts = [records[at : at + GROUP_COMMANDS] for at in range(0, len(records), GROUP_COMMANDS)]
    return [build_group(part, len(part), STAMP_NS + number) for number, part in enumerate(parts)]


if __name__ == "__main__":
    main(sys.argv[1:])
