// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../src/Batches.sol";
import {Guardian} from "../src/Guardian.sol";
import {IUsdc} from "../src/IUsdc.sol";
import {KeyRotation} from "../src/KeyRotation.sol";
import {Quorum} from "../src/Quorum.sol";
import {Vault} from "../src/Vault.sol";
import {Fixture} from "./Fixture.sol";
import {Payload} from "./Payload.sol";

contract KeysTest is Fixture {
    uint256[] private nextKeys;
    address[] private nextSigners;

    function setUp() public override {
        super.setUp();
        (nextKeys, nextSigners) = makeKeys(0x1234, 5);
    }

    function propose() private {
        bytes memory signatures = quorum(vault.rotationDigest(vault.rotations() + 1, 3, nextSigners));
        vault.proposeRotation(3, nextSigners, signatures);
    }

    function test_keys_rotate_after_the_delay_and_the_old_ones_are_worth_nothing() external {
        propose();
        vm.warp(START + 1 days - 1);
        vm.expectPartialRevert(KeyRotation.RotationTooEarly.selector);
        vault.rotate();
        settle(trade());
        vm.warp(START + 1 days);
        vault.rotate();
        same("threshold", vault.threshold(), 3);
        same("set", vault.keySet(), 2);
        bytes memory nothing = Payload.join(Payload.none());
        Batches.Header memory h = header();
        bytes32 digest = vault.batchDigest(h, nothing);
        bytes memory old =
            bytes.concat(signature(keys[0], digest), signature(keys[1], digest), signature(keys[2], digest));
        vm.expectPartialRevert(Quorum.BadQuorum.selector);
        vault.settle(h, nothing, old);
        keys = nextKeys;
        settle(Payload.none());
        vm.expectPartialRevert(KeyRotation.NoRotation.selector);
        vault.rotate();
    }

    function test_only_a_quorum_proposes() external {
        bytes32 digest = vault.rotationDigest(1, 3, nextSigners);
        bytes memory one = signature(keys[0], digest);
        vm.expectPartialRevert(Quorum.BadQuorum.selector);
        vault.proposeRotation(3, nextSigners, one);
        bytes memory other = quorum(vault.rotationDigest(1, 4, nextSigners));
        vm.expectPartialRevert(Quorum.BadQuorum.selector);
        vault.proposeRotation(3, nextSigners, other);
        vm.expectPartialRevert(KeyRotation.NoRotation.selector);
        vault.rotate();
    }

    function test_the_guardian_vetoes_and_the_same_signatures_are_spent() external {
        bytes memory signatures = quorum(vault.rotationDigest(1, 3, nextSigners));
        vault.proposeRotation(3, nextSigners, signatures);
        vm.expectPartialRevert(Guardian.NotGuardian.selector);
        vault.vetoRotation();
        vm.prank(GUARDIAN);
        vault.vetoRotation();
        vm.warp(START + 2 days);
        vm.expectPartialRevert(KeyRotation.NoRotation.selector);
        vault.rotate();
        vm.expectPartialRevert(Quorum.BadQuorum.selector);
        vault.proposeRotation(3, nextSigners, signatures);
        vm.expectPartialRevert(KeyRotation.NoRotation.selector);
        vm.prank(GUARDIAN);
        vault.vetoRotation();
        propose();
        same("number", vault.rotations(), 2);
        same("waits", vault.rotationProposed().readyAt, block.timestamp + 1 days);
    }

    function test_a_later_proposal_takes_the_place_of_one_that_waits() external {
        propose();
        vm.warp(START + 23 hours);
        propose();
        vm.warp(START + 1 days);
        vm.expectPartialRevert(KeyRotation.RotationTooEarly.selector);
        vault.rotate();
    }

    function check(uint8 threshold, address[] memory owners) external {
        new Vault(IUsdc(address(usdc)), GUARDIAN, FEES, LEAST, LEAST_CAP, threshold, owners);
    }

    function test_two_quorums_always_share_a_signer() external {
        (, address[] memory four) = makeKeys(9, 4);
        (, address[] memory many) = makeKeys(9, 33);
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        this.check(2, four);
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        this.check(5, four);
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        this.check(0, new address[](0));
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        this.check(20, many);
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        this.check(1, new address[](1));
        this.check(3, four);
        (four[0], four[1]) = (four[1], four[0]);
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        this.check(3, four);
        four[1] = four[0];
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        this.check(3, four);
    }

    function test_bad_keys_are_not_even_proposed() external {
        bytes memory signatures = quorum(vault.rotationDigest(1, 2, nextSigners));
        vm.expectPartialRevert(Quorum.BadKeys.selector);
        vault.proposeRotation(2, nextSigners, signatures);
    }
}
