"""What a link does to frames, without any network."""

from random import Random

import pytest

from chaos.real.link import HEALTHY, Link, LinkFaults, Tally, flip_bit, forge, merge

_ADDRESSES = 34
_TCP_HEADER = 20


def tcp_frame(payload: bytes) -> bytes:
    """Return an Ethernet frame with IPv4, TCP and a payload."""
    total = 20 + _TCP_HEADER + len(payload)
    ip = bytes([0x45, 0]) + total.to_bytes(2, "big") + bytes(5) + b"\x06" + bytes(10)
    tcp = bytes(12) + b"\x50" + bytes(7)
    return bytes(12) + b"\x08\x00" + ip + tcp + payload


def internet_sum(content: bytes) -> int:
    """Return the sum of 16-bit words that TCP's checksum is made from."""
    padded = content + bytes(len(content) % 2)
    return sum(int.from_bytes(padded[at : at + 2], "big") for at in range(0, len(padded), 2))


def sent(faults: LinkFaults, count: int) -> tuple[list[tuple[float, bytes]], Tally]:
    """Send numbered frames through a link at one moment."""
    tally = Tally()
    link = Link(faults, Random(5), tally)
    planned = [
        delivery
        for number in range(count)
        for delivery in link.plan(tcp_frame(number.to_bytes(4, "big") * 8), 1.0)
    ]
    return planned, tally


def test_a_healthy_link_delivers_all_at_once_and_in_order() -> None:
    """Nothing is late, changed, lost or doubled."""
    planned, _ = sent(HEALTHY, 50)

    assert [due for due, _ in planned] == [1.0] * 50
    assert [frame for _, frame in planned] == [
        tcp_frame(number.to_bytes(4, "big") * 8) for number in range(50)
    ]


def test_a_cut_link_delivers_nothing() -> None:
    """Every frame is counted as cut."""
    planned, tally = sent(LinkFaults(cut=True), 20)

    assert planned == []
    assert tally.cut == 20


def test_delay_keeps_the_order_and_jitter_too() -> None:
    """Late frames arrive in order, between the delay and delay plus jitter."""
    planned, tally = sent(LinkFaults(delay_ms=10, jitter_ms=30), 200)
    dues = [due for due, _ in planned]

    assert dues == sorted(dues)
    assert 1.010 <= min(dues) <= max(dues) <= 1.040
    assert tally.delayed == 200


@pytest.mark.parametrize(
    ("faults", "counted"),
    [
        (LinkFaults(loss=0.3), "lost"),
        (LinkFaults(duplication=0.3), "duplicated"),
        (LinkFaults(corruption=0.3), "corrupted"),
        (LinkFaults(reordering=0.3), "reordered"),
        (LinkFaults(forgery=0.3), "forged"),
    ],
)
def test_a_share_of_frames_is_hit(faults: LinkFaults, counted: str) -> None:
    """About the share that was asked for, and not all."""
    _, tally = sent(faults, 1_000)

    assert 150 < getattr(tally, counted) < 450


def test_a_slow_link_queues_and_then_drops() -> None:
    """Frames leave one after the other; what would wait too long is dropped."""
    planned, tally = sent(LinkFaults(bytes_per_second=10_000), 200)

    assert tally.queue_full > 0
    assert len(planned) + tally.queue_full == 200
    assert planned[-1][0] > planned[0][0]


def test_a_flipped_bit_spares_the_addresses() -> None:
    """Exactly one bit changes, behind the headers that deliver the frame."""
    frame = tcp_frame(b"payload!" * 4)
    for seed in range(50):
        changed = flip_bit(frame, Random(seed))
        assert changed[:_ADDRESSES] == frame[:_ADDRESSES]
        difference = int.from_bytes(changed, "big") ^ int.from_bytes(frame, "big")
        assert difference.bit_count() == 1


def test_a_forged_frame_passes_the_checksum_of_tcp() -> None:
    """Two bits of the payload change, and the sum of words does not."""
    frame = tcp_frame(bytes(range(200)))
    for seed in range(50):
        changed = forge(frame, Random(seed))
        assert changed != frame
        assert changed[: _ADDRESSES + _TCP_HEADER] == frame[: _ADDRESSES + _TCP_HEADER]
        assert internet_sum(changed) == internet_sum(frame)


def test_what_is_no_tcp_with_payload_is_not_forged() -> None:
    """It comes back as it is."""
    assert forge(b"short", Random(1)) == b"short"
    assert forge(tcp_frame(b""), Random(1)) == tcp_frame(b"")


def test_faults_that_overlap_add_up() -> None:
    """Delays add, shares combine, the slower limit and any cut win."""
    merged = merge(
        [
            LinkFaults(delay_ms=5, loss=0.5, bytes_per_second=100),
            LinkFaults(delay_ms=7, loss=0.5, bytes_per_second=50, cut=True),
        ]
    )

    assert merged == LinkFaults(delay_ms=12, loss=0.75, bytes_per_second=50, cut=True)
    assert merge([]) == HEALTHY
