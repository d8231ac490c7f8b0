// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "../src/Guardian.sol";
import {Fixture} from "./Fixture.sol";

contract GuardianTest is Fixture {
    function test_only_the_guardian_pauses() external {
        vm.expectPartialRevert(Guardian.NotGuardian.selector);
        vault.pause(1);
        vm.prank(GUARDIAN);
        vault.pause(1 days);
        so("paused", vault.paused());
        vm.expectPartialRevert(Guardian.NotGuardian.selector);
        vault.unpause();
        vm.prank(GUARDIAN);
        vault.unpause();
        so("over", !vault.paused());
    }

    function test_a_pause_has_an_end_and_is_not_renewed_back_to_back() external {
        vm.expectPartialRevert(Guardian.PauseTooLong.selector);
        vm.prank(GUARDIAN);
        vault.pause(3 days + 1);
        vm.prank(GUARDIAN);
        vault.pause(3 days);
        vm.warp(START + 3 days - 1);
        so("to the end", vault.paused());
        vm.warp(START + 3 days);
        so("over", !vault.paused());
        vm.warp(START + 10 days - 1);
        vm.expectPartialRevert(Guardian.PauseTooSoon.selector);
        vm.prank(GUARDIAN);
        vault.pause(1);
        vm.warp(START + 10 days);
        vm.prank(GUARDIAN);
        vault.pause(1);
    }

    function test_an_early_end_shortens_no_gap() external {
        vm.prank(GUARDIAN);
        vault.pause(3 days);
        vm.prank(GUARDIAN);
        vault.unpause();
        vm.warp(START + 10 days - 1);
        vm.expectPartialRevert(Guardian.PauseTooSoon.selector);
        vm.prank(GUARDIAN);
        vault.pause(1);
    }

    function test_the_guardians_part_is_offered_and_taken() external {
        vm.expectPartialRevert(Guardian.NotGuardian.selector);
        vault.offerGuardian(ALICE);
        vm.prank(GUARDIAN);
        vault.offerGuardian(ALICE);
        so("not yet", vault.guardian() == GUARDIAN);
        vm.expectPartialRevert(Guardian.NotOffered.selector);
        vm.prank(BOB);
        vault.acceptGuardian();
        vm.prank(ALICE);
        vault.acceptGuardian();
        so("hers", vault.guardian() == ALICE);
        vm.expectPartialRevert(Guardian.NotGuardian.selector);
        vm.prank(GUARDIAN);
        vault.pause(1);
        vm.expectPartialRevert(Guardian.NotOffered.selector);
        vm.prank(ALICE);
        vault.acceptGuardian();
    }
}
