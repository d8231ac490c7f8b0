// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "../src/Guardian.sol";
import {Inbox} from "../src/Inbox.sol";
import {Lanes} from "../src/Lanes.sol";
import {Ledger} from "../src/Ledger.sol";
import {Withdrawals} from "../src/Withdrawals.sol";
import {Fixture} from "./Fixture.sol";
import {MockUsdc} from "./MockUsdc.sol";
import {Payload, Sections} from "./Payload.sol";

contract WithdrawalsTest is Fixture {
    function test_a_withdrawal_is_queued_and_paid_to_its_owner_after_the_delay() external {
        settle(withdraw(A, 50e6));
        same("cash", vault.cashOf(A), DEPOSIT - 50e6);
        same("pending", vault.totals().pending, 50e6);
        checkSolvent();
        vm.warp(START + 10 minutes - 1);
        vm.expectPartialRevert(Withdrawals.TooEarly.selector);
        vault.claim(1);
        vm.warp(START + 10 minutes);
        vm.prank(BOB);
        same("paid", vault.claim(1), 50e6);
        same("alice", usdc.balanceOf(ALICE), 50e6);
        same("pending", vault.totals().pending, 0);
        vm.expectPartialRevert(Withdrawals.NothingQueued.selector);
        vault.claim(1);
        checkSolvent();
    }

    function test_nothing_is_claimed_that_was_not_queued() external {
        vm.expectPartialRevert(Withdrawals.NothingQueued.selector);
        vault.claim(0);
        vm.expectPartialRevert(Withdrawals.NothingQueued.selector);
        vault.claim(1);
    }

    function test_a_later_withdrawal_delays_no_earlier_one() external {
        settle(withdraw(A, 50e6));
        vm.warp(START + 9 minutes);
        settle(withdraw(A, 1));
        vm.warp(START + 10 minutes);
        same("first", vault.claim(1), 50e6);
        vm.expectPartialRevert(Withdrawals.TooEarly.selector);
        vault.claim(2);
    }

    function test_nobody_withdraws_what_is_not_there() external {
        refuse(withdraw(A, DEPOSIT + 1), Ledger.CashBelowZero.selector);
        refuse(withdraw(A, type(uint64).max), Lanes.LaneOverflow.selector);
        settle(withdraw(A, DEPOSIT));
        checkSolvent();
    }

    function test_accounts_of_withdrawals_ascend_and_exist() external {
        Sections memory s = Payload.none();
        s.withdrawals = Payload.list(2, bytes.concat(Payload.amount(B, 1), Payload.amount(A, 1)));
        refuse(s, Ledger.NotCanonical.selector);
        s.withdrawals = Payload.list(2, bytes.concat(Payload.amount(A, 1), Payload.amount(A, 1)));
        refuse(s, Ledger.NotCanonical.selector);
        s.withdrawals = Payload.list(1, Payload.amount(0, 0));
        refuse(s, Ledger.NotCanonical.selector);
        s.withdrawals = Payload.list(1, Payload.amount(C + 1, 0));
        refuse(s, Ledger.UnknownAccount.selector);
        s.withdrawals = Payload.list(2, bytes.concat(Payload.amount(A, 1), Payload.amount(B, 1)));
        settle(s);
        same("two", vault.withdrawalCount(), 2);
    }

    function test_a_withdrawal_of_nothing_queues_nothing() external {
        settle(withdraw(A, 0));
        same("none", vault.withdrawalCount(), 0);
    }

    function test_an_owner_whom_usdc_refuses_stops_nobody() external {
        usdc.blacklist(ALICE, true);
        Sections memory s = Payload.none();
        s.withdrawals = Payload.list(2, bytes.concat(Payload.amount(A, 50e6), Payload.amount(B, 50e6)));
        settle(s);
        vm.warp(START + 10 minutes);
        vm.expectPartialRevert(MockUsdc.Blacklisted.selector);
        vault.claim(1);
        same("bob", vault.claim(2), 50e6);
        checkSolvent();
        usdc.blacklist(ALICE, false);
        same("alice, later", vault.claim(1), 50e6);
    }

    function test_the_cap_bounds_a_day_and_pays_in_parts() external {
        settle(withdraw(A, DEPOSIT));
        vm.warp(START + 1 days);
        // A fifth of 3,000 USDC.
        same("cap", vault.available(), 600e6);
        same("first part", vault.claim(1), 600e6);
        checkSolvent();
        vm.expectPartialRevert(Withdrawals.CapReached.selector);
        vault.claim(1);
        same("what is left waits", vault.totals().pending, 400e6);
        vm.warp(START + 1 days + 12 hours);
        // A fifth of 2,400 USDC is 480; 600 were used, 240 have refilled.
        same("refilled", vault.available(), 120e6);
        same("second part", vault.claim(1), 120e6);
        vm.warp(START + 4 days);
        same("the rest", vault.claim(1), 280e6);
        same("alice", usdc.balanceOf(ALICE), DEPOSIT);
        checkSolvent();
    }

    function test_the_cap_is_shared() external {
        Sections memory s = Payload.none();
        s.withdrawals = Payload.list(2, bytes.concat(Payload.amount(A, 500e6), Payload.amount(B, 500e6)));
        settle(s);
        vm.warp(START + 1 days);
        same("alice", vault.claim(1), 500e6);
        // A fifth of the 2,500 that are left.
        vm.expectPartialRevert(Withdrawals.CapReached.selector);
        vault.claim(2);
        vm.warp(START + 2 days);
        same("bob", vault.claim(2), 500e6);
    }

    function test_the_cap_never_strands_the_last_users() external {
        Sections memory s = Payload.none();
        s.withdrawals = Payload.list(
            3,
            bytes.concat(Payload.amount(A, DEPOSIT), Payload.amount(B, DEPOSIT), Payload.amount(C, DEPOSIT))
        );
        settle(s);
        for (uint256 day = 1; day <= 30; ++day) {
            vm.warp(START + day * 1 days);
            for (uint64 id = 1; id <= 3; ++id) {
                (, uint64 amount,) = vault.withdrawals(id);
                if (amount != 0 && vault.available() != 0) vault.claim(id);
            }
        }
        same("all of it", vault.totals().pending, 0);
        same("the vault", usdc.balanceOf(address(vault)), 0);
        same("floor", vault.available(), LEAST_CAP);
    }

    function test_while_paused_nothing_is_paid_and_the_guardian_returns_it() external {
        settle(withdraw(A, 50e6));
        vm.expectPartialRevert(Guardian.NotPaused.selector);
        vm.prank(GUARDIAN);
        vault.returnWithdrawal(1);
        vm.prank(GUARDIAN);
        vault.pause(1 days);
        vm.warp(START + 1 hours);
        vm.expectPartialRevert(Guardian.IsPaused.selector);
        vault.claim(1);
        vm.expectPartialRevert(Guardian.NotGuardian.selector);
        vault.returnWithdrawal(1);
        uint64 before = vault.progress().inboxCount;
        bytes32 previous = vault.inboxHash(before);
        vm.prank(GUARDIAN);
        vault.returnWithdrawal(1);
        same("cash", vault.cashOf(A), DEPOSIT);
        same("pending", vault.totals().pending, 0);
        bytes32 expected = keccak256(
            abi.encode(previous, before + 1, Inbox.Kind.RETURNED, A, ALICE, bytes32(uint256(50e6)))
        );
        so("the replicas hear of it", vault.inboxHash(before + 1) == expected);
        vm.expectPartialRevert(Withdrawals.NothingQueued.selector);
        vm.prank(GUARDIAN);
        vault.returnWithdrawal(1);
        vm.warp(START + 2 days);
        vm.expectPartialRevert(Withdrawals.NothingQueued.selector);
        vault.claim(1);
        checkSolvent();
    }

    function test_of_a_part_that_was_paid_only_the_rest_returns() external {
        settle(withdraw(A, DEPOSIT));
        vm.warp(START + 1 days);
        vault.claim(1);
        vm.prank(GUARDIAN);
        vault.pause(1 days);
        vm.prank(GUARDIAN);
        vault.returnWithdrawal(1);
        same("cash", vault.cashOf(A), 400e6);
        checkSolvent();
    }
}
