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
    again = qb(*attest, "1", "--by", "ada", code=1)
    early = qb("resolution", "dispute", market, code=1)
    qb(*attest, "1", "--by", "ben")
    qb("resolution", "dispute", market)
    late = qb(*attest, "0", "--by", "cyn", code=1)
    qb("keys", "revoke", "ben")
    revoked = qb(*attest, "0", "--by", "ben", "--round", "1", code=1)
    qb(*attest, "0", "--by", "cyn", "--round", "1")
    qb(*attest, "0", "--by", "ada", "--round", "1")

    settle(lambda: qb("market", "show", market)["state"] == "resolved")
    assert qb("market", "show", market)["price"] == 0
    assert "ALREADY_ATTESTED" in again
    assert "RESOLUTION_NOT_PROPOSED" in early
    assert "ROUND_INVALID" in late
    assert "RESOLVER_UNKNOWN" in revoked
    assert "no key" in qb(*attest, "0", "--by", "dan", code=1)
