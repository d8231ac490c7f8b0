"""What a market comes to, said by resolvers at the command line."""

from collections.abc import Callable

from tests.integration.terminal import Terminal, settle


def test_resolvers_attest_what_a_market_comes_to(make_cluster: Callable[[str], Terminal]) -> None:
    """Two of three make the proposal; a dispute opens a round in which two decide."""
    qb = make_cluster("cluster")
    event = qb("event", "create", "Does it rain?", "--independent")["event"]
    market = str(qb("market", "create", str(event), "Rain", "--open")["market"])
    qb("config", "limit", "resolver_quorum", "2")
    qb("config", "limit", "challenge_seconds", "3600")
    for name in ("ada", "ben", "cyn"):
        qb("keys", "init", name)
        qb("keys", "grant", name, "resolver")
    qb("market", "close", market)
    attest = ("resolution", "attest", market)
    qb(*attest, "1", "--by", "ada")
    attesting = qb("resolution", "show", market)
    again = qb(*attest, "1", "--by", "ada", code=1)
    early = qb("resolution", "dispute", market, code=1)
    qb(*attest, "1", "--by", "ben")
    proposed = qb("resolution", "show", market)
    qb("resolution", "dispute", market)
    late = qb(*attest, "0", "--by", "cyn", code=1)
    qb("keys", "revoke", "ben")
    revoked = qb(*attest, "0", "--by", "ben", "--round", "1", code=1)
    qb(*attest, "0", "--by", "cyn", "--round", "1")
    qb(*attest, "0", "--by", "ada", "--round", "1")

    settle(lambda: qb("market", "show", market)["state"] == "resolved")
    assert qb("market", "show", market)["price"] == 0
    assert qb("resolution", "show", market) == {}
    assert (attesting["stage"], len(attesting["attestations"])) == ("attesting", 1)
    assert (proposed["stage"], proposed["price"], proposed["round"]) == ("proposed", 10_000, 0)
    assert [price for _, price, _ in proposed["attestations"]] == [10_000, 10_000]
    assert "ALREADY_ATTESTED" in again
    assert "RESOLUTION_NOT_PROPOSED" in early
    assert "ROUND_INVALID" in late
    assert "RESOLVER_UNKNOWN" in revoked
    assert "no key" in qb(*attest, "0", "--by", "dan", code=1)


def test_what_keeps_orders_out_is_shown(make_cluster: Callable[[str], Terminal]) -> None:
    """Every stop and pause that is on, and no other; and when a market closes by itself."""
    qb = make_cluster("cluster")
    account = qb("account", "create", "alice")["account"]
    event = qb("event", "create", "Does it rain?", "--independent")["event"]
    market = str(qb("market", "create", str(event), "Rain", "--open")["market"])
    nothing = qb("risk", "show")
    without = qb("market", "show", market)
    qb("market", "times", market, "--closes", "2100-01-01T00:00:00Z")
    timed = qb("market", "show", market)
    qb("risk", "stop", "account", str(account), "--reason", "risk", "--reference", "7")
    qb("risk", "stop", "market", market)
    qb("risk", "lift", "market", market)
    qb("pause", "cancel-only", "--market", market)
    qb("pause", "halted", "--account", str(account))
    qb("pause", "none", "--account", str(account))
    shown = qb("risk", "show")

    assert nothing == {"stops": [], "pauses": []}
    assert (without["opens_at_ns"], without["closes_at_ns"]) == (0, 0)
    assert (timed["opens_at_ns"], timed["closes_at_ns"]) == (0, 4_102_444_800 * 10**9)
    assert [stop[:3] for stop in shown["stops"]] == [["account", account, "risk"]]
    assert shown["stops"][0][4] == 7
    assert shown["pauses"] == [["market", int(market), "cancel_only"]]
