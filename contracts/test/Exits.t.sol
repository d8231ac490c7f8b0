// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../src/Batches.sol";
import {Deposits} from "../src/Deposits.sol";
import {Exits} from "../src/Exits.sol";
import {Guardian} from "../src/Guardian.sol";
import {Inbox} from "../src/Inbox.sol";
import {Ledger} from "../src/Ledger.sol";
import {Pools} from "../src/Pools.sol";
import {Quorum} from "../src/Quorum.sol";
import {Withdrawals} from "../src/Withdrawals.sol";
import {Fixture} from "./Fixture.sol";
import {MockUsdc} from "./MockUsdc.sol";
import {Payload, Sections} from "./Payload.sol";

contract ExitsTest is Fixture {
    function test_an_exit_is_asked_for_once_and_the_inbox_says_so() external {
        uint64 before = vault.progress().inboxCount;
        bytes32 previous = vault.inboxHash(before);
        vm.prank(ALICE);
        vault.requestExit();
        same("since", vault.accounts(A).exitAt, START);
        bytes32 expected =
            keccak256(abi.encode(previous, before + 1, Inbox.Kind.EXIT_REQUESTED, A, ALICE, bytes32(0)));
        so("chained", vault.inboxHash(before + 1) == expected);
        vm.expectPartialRevert(Exits.ExitPending.selector);
        vm.prank(ALICE);
        vault.requestExit();
        vm.expectPartialRevert(Ledger.UnknownAccount.selector);
        vault.requestExit();
    }

    function test_an_exit_is_not_for_crumbs() external {
        settle(withdraw(A, DEPOSIT - LEAST + 1));
        vm.expectPartialRevert(Deposits.TooLittle.selector);
        vm.prank(ALICE);
        vault.requestExit();
        settle(withdraw(B, DEPOSIT - LEAST));
        vm.prank(BOB);
        vault.requestExit();
    }

    function test_an_exit_is_served_by_what_leaves_no_cash() external {
        vm.prank(ALICE);
        vault.requestExit();
        settle(withdraw(A, DEPOSIT - 1));
        so("not yet", vault.accounts(A).exitAt != 0);
        settle(withdraw(A, 1));
        same("served", vault.accounts(A).exitAt, 0);
        so("still hers", vault.accounts(A).owner == ALICE);
        vm.warp(START + 4 days);
        vm.expectPartialRevert(Exits.NoExit.selector);
        vault.freeze(A);
    }

    function test_an_exit_of_an_account_with_nothing_is_answered_by_nothing() external {
        vm.prank(ALICE);
        vault.requestExit();
        Sections memory s = Payload.none();
        s.cash = Payload.two(A, -int64(DEPOSIT), B, int64(DEPOSIT));
        settle(s);
        so("asks still", vault.accounts(A).exitAt != 0);
        settle(withdraw(A, 0));
        same("served", vault.accounts(A).exitAt, 0);
    }

    function test_a_withdrawal_of_nothing_serves_no_exit_of_somebody_with_cash() external {
        vm.prank(ALICE);
        vault.requestExit();
        settle(withdraw(A, 0));
        so("not served", vault.accounts(A).exitAt != 0);
    }

    function test_an_exit_that_lands_in_between_changes_no_batch() external {
        bytes memory payload = Payload.join(withdraw(A, 50e6));
        Batches.Header memory h = header();
        bytes memory signatures = quorum(vault.batchDigest(h, payload));
        vm.prank(ALICE);
        vault.requestExit();
        vault.settle(h, payload, signatures);
        same("the amount is the batch's", vault.cashOf(A), DEPOSIT - 50e6);
        so("the exit still waits", vault.accounts(A).exitAt != 0);
    }

    function test_an_unserved_exit_freezes_after_three_days_and_not_before() external {
        vm.prank(ALICE);
        vault.requestExit();
        vm.warp(START + 3 days - 1);
        vm.expectPartialRevert(Withdrawals.TooEarly.selector);
        vault.freeze(A);
        vm.expectPartialRevert(Exits.NoExit.selector);
        vault.freeze(B);
        vm.warp(START + 3 days);
        vault.freeze(A);
        same("frozen", vault.frozenAt(), START + 3 days);
        vm.expectPartialRevert(Guardian.IsFrozen.selector);
        vault.freeze(A);
    }

    function test_a_pause_does_not_stop_the_freeze_and_ends_with_it() external {
        settle(withdraw(B, 1e6));
        vm.prank(ALICE);
        vault.requestExit();
        vm.warp(START + 2 days);
        vm.prank(GUARDIAN);
        vault.pause(3 days);
        vm.warp(START + 3 days);
        vault.freeze(A);
        so("no pause", !vault.paused());
        same("bob is paid", vault.claim(1), 1e6);
        vm.expectPartialRevert(Guardian.IsFrozen.selector);
        vm.prank(GUARDIAN);
        vault.pause(1);
        vm.expectPartialRevert(Guardian.NotPaused.selector);
        vm.prank(GUARDIAN);
        vault.returnWithdrawal(1);
    }

    function test_once_frozen_everybody_takes_everything_at_once() external {
        settle(trade());
        settle(final7(10_000));
        settle(withdraw(B, 900e6));
        freeze();
        same("no delay and no cap", vault.claim(1), 900e6);
        vault.redeem(A, 7);
        same("alice", vault.escape(A), DEPOSIT + 400_000);
        vault.escape(B);
        vault.escape(C);
        same("alice has it", usdc.balanceOf(ALICE), DEPOSIT + 400_000);
        same("bob", usdc.balanceOf(BOB), DEPOSIT - 400_000);
        same("nothing is left", usdc.balanceOf(address(vault)), 0);
        vm.expectPartialRevert(Withdrawals.NothingQueued.selector);
        vault.escape(A);
        checkSolvent();
    }

    function test_nobody_escapes_before_the_freeze() external {
        vm.expectPartialRevert(Guardian.NotFrozen.selector);
        vault.escape(A);
        vm.expectPartialRevert(Guardian.NotFrozen.selector);
        vault.settleEvenly(7, new uint32[](1));
        bytes memory prices = Payload.list(1, Payload.price(7, 10_000));
        bytes memory signatures = quorum(vault.pricesDigest(prices));
        vm.expectPartialRevert(Guardian.NotFrozen.selector);
        vault.settlePrices(prices, signatures);
        vm.prank(ALICE);
        vault.requestExit();
        freeze();
        vm.expectPartialRevert(Guardian.IsFrozen.selector);
        vm.prank(BOB);
        vault.requestExit();
    }

    function test_an_owner_whom_usdc_refuses_keeps_the_cash_and_stops_nobody() external {
        usdc.blacklist(ALICE, true);
        freeze();
        vm.expectPartialRevert(MockUsdc.Blacklisted.selector);
        vault.escape(A);
        same("bob", vault.escape(B), DEPOSIT);
        usdc.blacklist(ALICE, false);
        same("alice, later", vault.escape(A), DEPOSIT);
    }

    function test_once_frozen_a_quorum_still_says_what_markets_came_to() external {
        settle(trade());
        freeze();
        bytes memory prices = Payload.list(1, Payload.price(7, 2_500));
        bytes32 digest = vault.pricesDigest(prices);
        bytes memory one = signature(keys[0], digest);
        vm.expectPartialRevert(Quorum.BadQuorum.selector);
        vault.settlePrices(prices, one);
        bytes memory longer = bytes.concat(prices, hex"00");
        bytes memory signatures = quorum(vault.pricesDigest(longer));
        vm.expectPartialRevert(Batches.Trailing.selector);
        vault.settlePrices(longer, signatures);
        vault.settlePrices(prices, quorum(digest));
        same("alice", vault.redeem(A, 7), 250_000);
        same("bob", vault.redeem(B, 7), 750_000);
        signatures = quorum(digest);
        vm.expectPartialRevert(Pools.MarketSettled.selector);
        vault.settlePrices(prices, signatures);
    }

    function ids(uint32 a, uint32 b, uint32 c) private pure returns (uint32[] memory made) {
        made = new uint32[](3);
        (made[0], made[1], made[2]) = (a, b, c);
    }

    function test_a_market_that_nobody_settles_is_split_evenly_long_after_its_date() external {
        settle(trade());
        freeze();
        uint32[] memory seven = new uint32[](1);
        seven[0] = 7;
        vm.warp(RESOLVE_BY + 30 days - 1);
        vm.expectPartialRevert(Withdrawals.TooEarly.selector);
        vault.settleEvenly(7, seven);
        vm.warp(RESOLVE_BY + 30 days);
        vault.settleEvenly(7, seven);
        same("alice", vault.redeem(A, 7), 500_000);
        same("bob", vault.redeem(B, 7), 500_000);
        vm.expectPartialRevert(Exits.BadMarkets.selector);
        vault.settleEvenly(7, seven);
    }

    function test_after_a_late_freeze_a_quorum_has_its_time_too() external {
        settle(trade());
        vm.warp(RESOLVE_BY + 40 days);
        freeze();
        uint32[] memory seven = new uint32[](1);
        seven[0] = 7;
        vm.expectPartialRevert(Withdrawals.TooEarly.selector);
        vault.settleEvenly(7, seven);
        vm.warp(RESOLVE_BY + 73 days);
        vault.settleEvenly(7, seven);
    }

    function test_an_event_is_split_as_a_void_is() external {
        Sections memory s = Payload.none();
        s.positions = sets(A, 100);
        s.cash = Payload.list(1, Payload.delta(A, -1_000_000));
        settle(s);
        freeze();
        vm.warp(RESOLVE_BY + 30 days);
        vault.settleEvenly(20, ids(20, 21, 22));
        same("first", vault.markets(20).price, 3_334);
        same("second", vault.markets(21).price, 3_333);
        same("third", vault.markets(22).price, 3_333);
        for (uint32 market = 20; market <= 22; ++market) {
            vault.redeem(A, market);
        }
        same("all is back", vault.cashOf(A), DEPOSIT);
        checkSolvent();
    }

    function test_the_first_outcomes_take_the_units_that_are_left_over() external {
        bytes memory begun = abi.encodePacked(RESOLVE_BY, uint16(7));
        uint32[] memory seven = new uint32[](7);
        for (uint32 i = 0; i < 7; ++i) {
            seven[i] = 30 + i;
            begun = bytes.concat(begun, abi.encodePacked(seven[i]));
        }
        Sections memory s = Payload.none();
        s.pools = Payload.list(1, begun);
        settle(s);
        freeze();
        vm.warp(RESOLVE_BY + 30 days);
        vault.settleEvenly(30, seven);
        for (uint32 i = 0; i < 7; ++i) {
            same("10,000 = 4 x 1,429 + 3 x 1,428", vault.markets(seven[i]).price, i < 4 ? 1_429 : 1_428);
        }
    }

    function test_of_an_event_settled_in_part_the_rest_is_split() external {
        Sections memory s = Payload.none();
        s.prices = Payload.list(1, Payload.price(21, 4_999));
        settle(s);
        freeze();
        vm.warp(RESOLVE_BY + 30 days);
        vault.settleEvenly(20, ids(20, 21, 22));
        same("first", vault.markets(20).price, 2_501);
        same("second", vault.markets(21).price, 4_999);
        same("third", vault.markets(22).price, 2_500);
    }

    function test_an_event_is_split_over_its_own_markets_in_order() external {
        freeze();
        vm.warp(RESOLVE_BY + 30 days);
        uint32[] memory two = new uint32[](2);
        (two[0], two[1]) = (20, 21);
        uint32[][4] memory bad = [ids(20, 22, 21), ids(20, 21, 7), ids(20, 20, 20), two];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectPartialRevert(Exits.BadMarkets.selector);
            vault.settleEvenly(20, bad[i]);
        }
        vm.expectPartialRevert(Exits.BadMarkets.selector);
        vault.settleEvenly(99, new uint32[](0));
    }

    function test_a_returned_withdrawal_can_be_asked_for_again_and_be_paid_before_the_next_pause() external {
        vm.prank(ALICE);
        vault.requestExit();
        settle(withdraw(A, DEPOSIT));
        vm.prank(GUARDIAN);
        vault.pause(3 days);
        vm.prank(GUARDIAN);
        vault.returnWithdrawal(1);
        vm.prank(ALICE);
        vault.requestExit();
        vm.warp(START + 3 days);
        vault.freeze(A);
        same("alice", vault.escape(A), DEPOSIT);
    }
}
