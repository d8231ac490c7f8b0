// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../src/Batches.sol";
import {Ledger} from "../src/Ledger.sol";
import {Pools} from "../src/Pools.sol";
import {Fixture} from "./Fixture.sol";
import {Payload, Sections} from "./Payload.sol";

contract PoolsTest is Fixture {
    function test_pools_begin_with_their_markets() external view {
        Pools.Pool memory pool = vault.pools(20);
        same("count", pool.count, 3);
        same("date", pool.resolveBy, RESOLVE_BY);
        Pools.Market memory market = vault.markets(22);
        same("pool", market.pool, 20);
        same("ordinal", market.ordinal, 2);
        so("open", !market.settled);
    }

    function test_a_pool_begins_once_with_new_ascending_markets() external {
        bytes[6] memory bad = [
            Payload.beginOne(RESOLVE_BY, 7),
            Payload.beginOne(RESOLVE_BY, 0),
            Payload.beginThree(RESOLVE_BY, 30, 30, 31),
            Payload.beginThree(RESOLVE_BY, 31, 30, 32),
            Payload.beginThree(RESOLVE_BY, 6, 7, 8),
            abi.encodePacked(RESOLVE_BY, uint16(0), uint32(30))
        ];
        Sections memory s = Payload.none();
        for (uint256 i = 0; i < bad.length; ++i) {
            s.pools = Payload.list(1, bad[i]);
            refuse(s, Pools.BadMarket.selector);
        }
        s.pools =
            Payload.list(2, bytes.concat(Payload.beginOne(RESOLVE_BY, 31), Payload.beginOne(RESOLVE_BY, 30)));
        refuse(s, Pools.BadMarket.selector);
        s.pools =
            Payload.list(2, bytes.concat(Payload.beginOne(RESOLVE_BY, 30), Payload.beginOne(RESOLVE_BY, 31)));
        settle(s);
    }

    function test_a_date_is_never_beyond_reach() external {
        Sections memory s = Payload.none();
        s.pools = Payload.list(1, Payload.beginOne(type(uint40).max, 30));
        settle(s);
        same("date", vault.pools(30).resolveBy, START + 1826 days);
    }

    function test_longs_and_shorts_of_a_market_are_as_many() external {
        Sections memory s = trade();
        s.positions = Payload.list(1, Payload.pool(7, 0, 1, Payload.market(7, Payload.two(A, 100, B, -99))));
        refuse(s, Pools.PositionsUnbalanced.selector);
        s.positions =
            Payload.list(1, Payload.pool(7, 0, 1, Payload.market(7, Payload.list(1, Payload.delta(A, 100)))));
        refuse(s, Pools.PositionsUnbalanced.selector);
    }

    function test_a_single_market_has_no_sets() external {
        Sections memory s = trade();
        s.positions = Payload.list(
            1, Payload.pool(7, 100, 1, Payload.market(7, Payload.list(1, Payload.delta(A, 100))))
        );
        s.cash = Payload.list(1, Payload.delta(A, -1_000_000));
        refuse(s, Pools.BadSets.selector);
    }

    function test_a_set_is_yes_of_every_outcome_and_costs_one_usdc() external {
        Sections memory s = Payload.none();
        s.positions = sets(A, 100);
        s.cash = Payload.list(1, Payload.delta(A, -1_000_000));
        settle(s);
        same("sets", vault.pools(20).sets, int256(100));
        same("locked", vault.pools(20).locked, 1_000_000);
        same("lots", vault.positionOf(A, 22), int256(100));
        s.positions = sets(A, -40);
        s.cash = Payload.list(1, Payload.delta(A, 400_000));
        settle(s);
        same("left", vault.pools(20).locked, 600_000);
        checkSolvent();
    }

    function test_sets_are_in_every_market() external {
        Sections memory s = Payload.none();
        bytes memory one = Payload.list(1, Payload.delta(A, 100));
        bytes memory twoMarkets = bytes.concat(Payload.market(20, one), Payload.market(21, one));
        s.positions = Payload.list(1, Payload.pool(20, 100, 2, twoMarkets));
        s.cash = Payload.list(1, Payload.delta(A, -1_000_000));
        refuse(s, Pools.BadSets.selector);
        bytes memory other = Payload.list(1, Payload.delta(A, 99));
        s.positions =
            Payload.list(1, Payload.pool(20, 100, 3, bytes.concat(twoMarkets, Payload.market(22, other))));
        refuse(s, Pools.PositionsUnbalanced.selector);
    }

    /// NO of one outcome becomes YES of the two others, which costs nothing: it owes the same whoever wins.
    function test_a_conversion_of_one_no_is_free() external {
        Sections memory s = Payload.none();
        bytes memory swap = Payload.swap(A, B, 100);
        s.positions = Payload.list(1, Payload.pool(20, 0, 1, Payload.market(20, swap)));
        s.cash = Payload.two(A, -300_000, B, -700_000);
        settle(s);
        uint64 before = vault.cashOf(B);
        s = Payload.none();
        s.positions = sets(B, 100);
        settle(s);
        same("free", vault.cashOf(B), before);
        same("no is gone", vault.positionOf(B, 20), int256(0));
        same("yes of the others", vault.positionOf(B, 21), int256(100));
        same("locked", vault.pools(20).locked, 1_000_000);
        checkSolvent();
        s = Payload.none();
        s.prices = three(0, 10_000, 0);
        settle(s);
        same("bob wins", vault.redeem(B, 21), 1_000_000);
        same("alice lost", vault.redeem(A, 20), 0);
        same("bob's other", vault.redeem(B, 22), 0);
        same("nothing is left", vault.pools(20).locked, 0);
        checkSolvent();
    }

    /// NO of all three outcomes: two of them win.
    function test_sets_may_be_negative() external {
        Sections memory s = Payload.none();
        s.positions = sets(B, -100);
        s.cash = Payload.list(1, Payload.delta(B, -2_000_000));
        settle(s);
        same("locked", vault.pools(20).locked, 2_000_000);
        s = Payload.none();
        s.prices = three(2_000, 3_000, 5_000);
        s.payouts = Payload.list(
            3,
            bytes.concat(
                abi.encodePacked(uint32(20), uint16(1), B),
                abi.encodePacked(uint32(21), uint16(1), B),
                abi.encodePacked(uint32(22), uint16(1), B)
            )
        );
        settle(s);
        same("all is back", vault.cashOf(B), DEPOSIT);
        checkSolvent();
    }

    function test_markets_of_a_section_ascend_and_are_the_pools_own() external {
        Sections memory s = trade();
        bytes memory deltas = Payload.swap(A, B, 100);
        bytes memory seven = Payload.pool(7, 0, 1, Payload.market(7, deltas));
        bytes memory twenty = Payload.pool(20, 0, 1, Payload.market(20, deltas));
        bytes[6] memory bad = [
            Payload.list(2, bytes.concat(twenty, seven)),
            Payload.list(2, bytes.concat(seven, seven)),
            Payload.list(1, Payload.pool(20, 0, 1, Payload.market(7, deltas))),
            Payload.list(1, Payload.pool(99, 0, 1, Payload.market(99, deltas))),
            Payload.list(
                1,
                Payload.pool(20, 0, 2, bytes.concat(Payload.market(21, deltas), Payload.market(21, deltas)))
            ),
            Payload.list(1, Payload.pool(7, 0, 1, Payload.market(7, Payload.NONE)))
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            s.positions = bad[i];
            // Pool 99 does not exist: its market is nobody's.
            refuse(s, Pools.BadMarket.selector);
        }
        s.positions = Payload.list(1, Payload.pool(7, 0, 0, ""));
        refuse(s, Pools.BadSets.selector);
    }

    function test_book_0_is_cash_and_no_market() external {
        Sections memory s = trade();
        s.positions = Payload.list(1, Payload.pool(0, 0, 1, Payload.market(0, Payload.swap(A, B, 100))));
        refuse(s, Pools.BadMarket.selector);
        same("no position", vault.positionOf(A, 0), int256(0));
        vm.expectPartialRevert(Pools.MarketNotSettled.selector);
        vault.redeem(A, 0);
    }

    function test_a_scalar_price_pays_both_sides_exactly() external {
        settle(trade());
        Sections memory s = final7(3_333);
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(2), A, B));
        settle(s);
        same("alice", vault.cashOf(A), DEPOSIT - 600_000 + 333_300);
        same("bob", vault.cashOf(B), DEPOSIT - 400_000 + 666_700);
        same("nothing is left", vault.pools(7).locked, 0);
        checkSolvent();
    }

    function test_anyone_redeems_to_the_owners_cash_once() external {
        settle(trade());
        vm.expectPartialRevert(Pools.MarketNotSettled.selector);
        vault.redeem(A, 7);
        settle(final7(10_000));
        vm.prank(CAROL);
        same("paid", vault.redeem(A, 7), 1_000_000);
        same("once", vault.redeem(A, 7), 0);
        same("loser", vault.redeem(B, 7), 0);
        same("alice", vault.cashOf(A), DEPOSIT + 400_000);
        checkSolvent();
    }

    function test_a_payout_of_what_was_redeemed_settles_and_pays_nothing() external {
        settle(trade());
        settle(final7(10_000));
        vault.redeem(A, 7);
        Sections memory s = Payload.none();
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(2), A, B));
        settle(s);
        same("alice", vault.cashOf(A), DEPOSIT + 400_000);
        checkSolvent();
    }

    function test_payouts_are_canonical_and_of_settled_markets() external {
        settle(trade());
        Sections memory s = Payload.none();
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(1), A));
        refuse(s, Pools.MarketNotSettled.selector);
        settle(final7(10_000));
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(2), B, A));
        refuse(s, Ledger.NotCanonical.selector);
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(2), A, A));
        refuse(s, Ledger.NotCanonical.selector);
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(0)));
        refuse(s, Pools.BadMarket.selector);
        s.payouts = Payload.list(2, abi.encodePacked(uint32(7), uint16(1), A, uint32(7), uint16(1), B));
        refuse(s, Pools.BadMarket.selector);
    }

    function test_a_price_is_final_once() external {
        settle(final7(4_000));
        refuse(final7(4_000), Pools.MarketSettled.selector);
        refuse(trade(), Pools.MarketSettled.selector);
        same("price", vault.markets(7).price, 4_000);
    }

    function test_a_price_is_at_most_one_usdc_and_of_a_market() external {
        refuse(final7(10_001), Pools.BadPrice.selector);
        Sections memory s = Payload.none();
        s.prices = Payload.list(1, Payload.price(8, 0));
        refuse(s, Pools.BadMarket.selector);
        s.prices = Payload.list(2, bytes.concat(Payload.price(21, 0), Payload.price(20, 0)));
        refuse(s, Pools.BadMarket.selector);
        settle(final7(10_000));
    }

    function test_the_prices_of_an_event_come_to_one_usdc() external {
        Sections memory s = Payload.none();
        s.prices = three(10_000, 1, 0);
        refuse(s, Pools.BadPrice.selector);
        s.prices = three(0, 0, 0);
        refuse(s, Pools.BadPrice.selector);
        s.prices = three(3_334, 3_333, 3_332);
        refuse(s, Pools.BadPrice.selector);
        s.prices = three(3_334, 3_333, 3_333);
        settle(s);
        same("sum", vault.pools(20).priceSum, 10_000);
    }

    function test_an_event_may_settle_market_by_market_but_makes_no_sets_then() external {
        Sections memory s = Payload.none();
        s.positions = sets(A, 100);
        s.cash = Payload.list(1, Payload.delta(A, -1_000_000));
        settle(s);
        s = Payload.none();
        s.prices = Payload.list(1, Payload.price(21, 0));
        settle(s);
        s = Payload.none();
        s.positions = sets(A, 100);
        s.cash = Payload.list(1, Payload.delta(A, -1_000_000));
        refuse(s, Pools.BadSets.selector);
        // The others trade on.
        s.positions = Payload.list(1, Payload.pool(20, 0, 1, Payload.market(22, Payload.swap(B, A, 60))));
        s.cash = Payload.two(A, 240_000, B, -240_000);
        settle(s);
        s = Payload.none();
        s.prices = Payload.list(2, bytes.concat(Payload.price(20, 4_000), Payload.price(22, 6_000)));
        settle(s);
        same("20", vault.redeem(A, 20), 400_000);
        same("22", vault.redeem(A, 22), 240_000);
        same("bob", vault.redeem(B, 22), 360_000);
        same("nothing is left", vault.pools(20).locked, 0);
        checkSolvent();
    }

    function test_trading_and_settling_in_one_batch() external {
        Sections memory s = trade();
        s.prices = Payload.list(1, Payload.price(7, 0));
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(1), B));
        settle(s);
        same("bob", vault.cashOf(B), DEPOSIT + 600_000);
        checkSolvent();
    }

    function test_a_short_that_is_covered_frees_its_collateral() external {
        settle(trade());
        Sections memory s = Payload.none();
        s.positions = Payload.list(1, Payload.pool(7, 0, 1, Payload.market(7, Payload.swap(B, C, 30))));
        s.cash = Payload.two(B, 150_000, C, -150_000);
        settle(s);
        same("locked", vault.pools(7).locked, 1_000_000);
        same("bob", vault.positionOf(B, 7), -int256(70));
        s.positions = Payload.list(1, Payload.pool(7, 0, 1, Payload.market(7, Payload.swap(B, A, 70))));
        s.cash = Payload.two(A, 350_000, B, 350_000);
        settle(s);
        same("locked", vault.pools(7).locked, 300_000);
        checkSolvent();
    }

    /// Whatever moves, each pool holds exactly what it owes, whatever wins.
    function testFuzz_a_pool_owes_what_it_holds(int16 setsOfA, int16 setsOfB, uint16 lots, uint16 x, uint16 y)
        external
    {
        Sections memory s = Payload.none();
        int64 n = int64(uint64(within(lots, 1, 5_000)));
        int64 a = int64(setsOfA) / 10;
        int64 b = int64(setsOfB) / 10;
        vm.assume(a != 0 && b != 0 && a + b != 0);
        bytes memory both = Payload.two(A, a, B, b);
        s.positions = Payload.list(
            1,
            Payload.pool(
                20,
                a + b,
                3,
                bytes.concat(Payload.market(20, both), Payload.market(21, both), Payload.market(22, both))
            )
        );
        s.cash = Payload.two(A, -cost(a), B, -cost(b));
        settle(s);
        s.positions = Payload.list(1, Payload.pool(20, 0, 1, Payload.market(21, Payload.swap(B, C, n))));
        int64 freed = b < 0 ? (n < -b ? n : -b) : int64(0);
        s.cash = Payload.two(B, -n * 4_000 + freed * 10_000, C, -n * 6_000);
        settle(s);
        uint16 first = uint16(within(x, 0, 10_000));
        uint16 second = uint16(within(y, 0, 10_000 - first));
        s = Payload.none();
        s.prices = three(first, second, 10_000 - first - second);
        settle(s);
        for (uint32 market = 20; market <= 22; ++market) {
            vault.redeem(A, market);
            vault.redeem(B, market);
            vault.redeem(C, market);
        }
        same("nothing is left, nothing is missing", vault.pools(20).locked, 0);
        checkSolvent();
    }

    /// What `count` sets of a three-way event cost one who has nothing else.
    function cost(int64 count) private pure returns (int64) {
        return count > 0 ? count * 10_000 : -count * 20_000;
    }
}
