// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../src/Batches.sol";
import {Guardian} from "../src/Guardian.sol";
import {IUsdc} from "../src/IUsdc.sol";
import {Lanes} from "../src/Lanes.sol";
import {Ledger} from "../src/Ledger.sol";
import {Quorum} from "../src/Quorum.sol";
import {Vault} from "../src/Vault.sol";
import {Fixture} from "./Fixture.sol";
import {Payload, Sections} from "./Payload.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

contract BatchesTest is Fixture {
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    function test_a_batch_moves_positions_and_cash_and_remembers_itself() external {
        bytes memory payload = Payload.join(trade());
        Batches.Header memory h = header();
        bytes32 digest = vault.batchDigest(h, payload);
        vault.settle(h, payload, quorum(digest));
        same("alice", vault.cashOf(A), DEPOSIT - 600_000);
        same("bob", vault.cashOf(B), DEPOSIT - 400_000);
        same("alice in 7", vault.positionOf(A, 7), int256(100));
        same("bob in 7", vault.positionOf(B, 7), -int256(100));
        same("locked", vault.pools(7).locked, 1_000_000);
        same("sequence", vault.progress().sequence, 2);
        same("log index", vault.progress().logIndex, h.logIndex);
        same("cursor", vault.progress().inboxCursor, 3);
        so("digest", vault.lastBatch() == digest);
        checkSolvent();
    }

    function test_the_digest_is_that_of_eip_712() external view {
        Batches.Header memory h = header();
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Quorumbook Vault"),
                keccak256("1"),
                block.chainid,
                address(vault)
            )
        );
        bytes32 inner = keccak256(
            abi.encode(
                vault.BATCH_TYPEHASH(),
                h.sequence,
                h.logIndex,
                h.inboxCursor,
                h.inboxHash,
                h.previous,
                h.stateDigest,
                h.liabilitiesRoot,
                keccak256("payload")
            )
        );
        so("domain", vault.domainSeparator() == domain);
        so("digest", vault.batchDigest(h, "payload") == keccak256(abi.encodePacked(hex"1901", domain, inner)));
    }

    function test_a_batch_settles_once_and_in_its_order() external {
        bytes memory payload = Payload.join(trade());
        Batches.Header memory h = header();
        bytes memory signatures = quorum(vault.batchDigest(h, payload));
        vault.settle(h, payload, signatures);
        vm.expectPartialRevert(Batches.BadSequence.selector);
        vault.settle(h, payload, signatures);
        Batches.Header memory skipping = header();
        ++skipping.sequence;
        refuseHeader(skipping, Payload.join(Payload.none()), Batches.BadSequence.selector);
        Batches.Header memory forked = header();
        forked.previous = h.previous;
        refuseHeader(forked, Payload.join(Payload.none()), Batches.BadPrevious.selector);
    }

    function test_the_log_only_goes_on() external {
        Batches.Header memory h = header();
        h.logIndex = vault.progress().logIndex;
        refuseHeader(h, Payload.join(Payload.none()), Batches.BadLogIndex.selector);
        ++h.logIndex;
        bytes memory payload = Payload.join(Payload.none());
        vault.settle(h, payload, quorum(vault.batchDigest(h, payload)));
    }

    function test_the_cursor_stays_within_the_inbox_and_never_goes_back() external {
        bytes memory nothing = Payload.join(Payload.none());
        Batches.Header memory h = header();
        h.inboxCursor = vault.progress().inboxCount + 1;
        h.inboxHash = 0;
        refuseHeader(h, nothing, Batches.BadInbox.selector);
        h = header();
        h.inboxCursor = 2;
        h.inboxHash = vault.inboxHash(2);
        refuseHeader(h, nothing, Batches.BadInbox.selector);
    }

    function test_a_batch_names_the_history_that_its_replicas_consumed() external {
        Batches.Header memory h = header();
        h.inboxHash = keccak256("another history");
        refuseHeader(h, Payload.join(Payload.none()), Batches.BadInbox.selector);
        h.inboxHash = vault.inboxHash(2);
        refuseHeader(h, Payload.join(Payload.none()), Batches.BadInbox.selector);
    }

    function test_a_batch_of_another_chain_or_vault_is_worth_nothing() external {
        bytes memory payload = Payload.join(trade());
        Batches.Header memory h = header();
        bytes memory signatures = quorum(vault.batchDigest(h, payload));
        vm.chainId(4242);
        vm.expectPartialRevert(Quorum.BadQuorum.selector);
        vault.settle(h, payload, signatures);
        vm.chainId(31337);
        Vault other = new Vault(IUsdc(address(usdc)), GUARDIAN, FEES, LEAST, LEAST_CAP, 2, signers);
        so("digests differ", other.batchDigest(h, payload) != vault.batchDigest(h, payload));
        vault.settle(h, payload, signatures);
    }

    function test_every_field_is_signed() external {
        bytes memory payload = Payload.join(trade());
        Batches.Header memory h = header();
        bytes memory signatures = quorum(vault.batchDigest(h, payload));
        for (uint256 i = 0; i < 4; ++i) {
            Batches.Header memory changed = header();
            bytes memory content = payload;
            if (i == 0) ++changed.logIndex;
            if (i == 1) changed.stateDigest = "other";
            if (i == 2) changed.liabilitiesRoot = "other";
            if (i == 3) content = Payload.join(Payload.none());
            vm.expectPartialRevert(Quorum.BadQuorum.selector);
            vault.settle(changed, content, signatures);
        }
        vault.settle(h, payload, signatures);
    }

    function test_exactly_a_quorum_signs_in_ascending_order() external {
        bytes memory payload = Payload.join(trade());
        Batches.Header memory h = header();
        bytes32 digest = vault.batchDigest(h, payload);
        bytes memory a = signature(keys[0], digest);
        bytes memory b = signature(keys[1], digest);
        bytes memory c = signature(keys[2], digest);
        bytes memory stranger = signature(0xbad, digest);
        bytes[8] memory bad = [
            bytes(""),
            a,
            bytes.concat(a, a),
            bytes.concat(b, a),
            bytes.concat(a, b, c),
            bytes.concat(a, stranger),
            bytes.concat(stranger, c),
            bytes.concat(a, b, hex"00")
        ];
        for (uint256 i = 0; i < bad.length; ++i) {
            vm.expectPartialRevert(Quorum.BadQuorum.selector);
            vault.settle(h, payload, bad[i]);
        }
        vault.settle(h, payload, bytes.concat(a, c));
    }

    function test_a_signature_has_one_form() external {
        bytes memory payload = Payload.join(trade());
        Batches.Header memory h = header();
        bytes32 digest = vault.batchDigest(h, payload);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(keys[1], digest);
        bytes memory high = abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
        bytes memory first = signature(keys[0], digest);
        vm.expectPartialRevert(ECDSA.ECDSAInvalidSignatureS.selector);
        vault.settle(h, payload, bytes.concat(first, high));
        vm.expectPartialRevert(ECDSA.ECDSAInvalidSignature.selector);
        vault.settle(h, payload, bytes.concat(first, new bytes(65)));
    }

    function test_nothing_follows_a_payload_and_nothing_is_missing() external {
        bytes memory payload = Payload.join(trade());
        refuseBytes(bytes.concat(payload, hex"00"), Batches.Trailing.selector);
        bytes memory cut = new bytes(payload.length - 1);
        for (uint256 i = 0; i < cut.length; ++i) {
            cut[i] = payload[i];
        }
        refuseBytes(cut, Batches.Trailing.selector);
        refuseBytes("", Batches.Trailing.selector);
    }

    function test_money_is_conserved_whoever_signs() external {
        Sections memory s = trade();
        s.cash = Payload.two(A, -600_000, B, -399_999);
        refuse(s, Batches.NotConserved.selector);
        s.cash = Payload.two(A, -600_000, B, -400_001);
        refuse(s, Batches.NotConserved.selector);
        s = Payload.none();
        s.cash = Payload.list(1, Payload.delta(A, 1));
        refuse(s, Batches.NotConserved.selector);
        s.cash = Payload.list(1, Payload.delta(A, -1));
        refuse(s, Batches.NotConserved.selector);
    }

    function test_no_cash_is_ever_negative() external {
        Sections memory s = Payload.none();
        int64 all = int64(DEPOSIT);
        s.cash = Payload.two(A, -all - 1, B, all + 1);
        refuse(s, Ledger.CashBelowZero.selector);
        s.cash = Payload.two(A, -all, B, all);
        settle(s);
        same("alice", vault.cashOf(A), 0);
        same("neighbours in the word", vault.cashOf(C), DEPOSIT);
        checkSolvent();
    }

    function test_a_lane_never_runs_into_its_neighbour() external {
        Sections memory s = Payload.none();
        s.cash = Payload.two(A, type(int64).max, B, -1);
        refuse(s, Lanes.LaneOverflow.selector);
        settle(trade());
        s = trade();
        bytes memory market = Payload.market(7, Payload.swap(A, B, type(int64).max));
        s.positions = Payload.list(1, Payload.pool(7, 0, 1, market));
        refuse(s, Lanes.LaneOverflow.selector);
        market = Payload.market(7, Payload.two(A, -1, B, type(int64).min));
        s.positions = Payload.list(1, Payload.pool(7, 0, 1, market));
        refuse(s, Lanes.LaneOverflow.selector);
        same("alice", vault.positionOf(A, 7), int256(100));
        same("bob", vault.positionOf(B, 7), -int256(100));
    }

    function test_accounts_ascend_strictly_exist_and_change() external {
        Sections memory s = Payload.none();
        s.cash = Payload.list(2, bytes.concat(Payload.delta(B, 1), Payload.delta(A, -1)));
        refuse(s, Ledger.NotCanonical.selector);
        s.cash = Payload.list(2, bytes.concat(Payload.delta(A, 1), Payload.delta(A, -1)));
        refuse(s, Ledger.NotCanonical.selector);
        s.cash = Payload.list(1, Payload.delta(A, 0));
        refuse(s, Ledger.NotCanonical.selector);
        s.cash = Payload.list(2, bytes.concat(Payload.delta(0, 1), Payload.delta(A, -1)));
        refuse(s, Ledger.NotCanonical.selector);
        s.cash = Payload.list(2, bytes.concat(Payload.delta(A, -1), Payload.delta(C + 1, 1)));
        refuse(s, Ledger.UnknownAccount.selector);
        s.cash = Payload.list(2, bytes.concat(Payload.delta(A, -1), Payload.delta(C, 1)));
        settle(s);
    }

    function test_what_lands_between_cut_and_settlement_neither_blocks_nor_alters() external {
        settle(trade());
        settle(final7(10_000));
        Sections memory s = Payload.none();
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(2), A, B));
        s.cash = Payload.two(A, -int64(DEPOSIT) - 300_000, B, int64(DEPOSIT) + 300_000);
        s.withdrawals = Payload.list(1, Payload.amount(A, 100_000));
        bytes memory payload = Payload.join(s);
        Batches.Header memory h = header();
        bytes32 digest = vault.batchDigest(h, payload);
        bytes memory signatures = quorum(digest);
        // Cut. Now everything lands that can.
        vault.redeem(A, 7);
        vault.redeem(B, 7);
        give(BOB, 5e6);
        give(address(0xD), 5e6);
        vm.prank(BOB);
        vault.bindKey("key");
        vm.prank(ALICE);
        vault.requestExit();
        vm.prank(GUARDIAN);
        vault.pause(1 days);
        rotateKeys();
        // The keys that came meanwhile sign the same digest.
        signatures = quorum(digest);
        vault.settle(h, payload, signatures);
        same("alice: cash, less the trade, more the payout, less the withdrawal", vault.cashOf(A), 0);
        same("bob: the deposit that landed is there", vault.cashOf(B), DEPOSIT + 5e6 + DEPOSIT - 100_000);
        same("cursor", vault.progress().inboxCursor, 3);
        checkSolvent();
    }

    function rotateKeys() private {
        (uint256[] memory newKeys, address[] memory newSigners) = makeKeys(0x1234, 5);
        bytes memory signatures = quorum(vault.rotationDigest(1, 3, newSigners));
        vault.proposeRotation(3, newSigners, signatures);
        vm.warp(block.timestamp + 1 days);
        vault.rotate();
        keys = newKeys;
    }

    function test_no_batch_settles_once_frozen() external {
        freeze();
        refuse(Payload.none(), Guardian.IsFrozen.selector);
    }

    function test_a_pause_stops_no_batch() external {
        vm.prank(GUARDIAN);
        vault.pause(1 days);
        settle(trade());
    }
}
