// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deposits} from "../src/Deposits.sol";
import {Guardian} from "../src/Guardian.sol";
import {IUsdc} from "../src/IUsdc.sol";
import {Inbox} from "../src/Inbox.sol";
import {Ledger} from "../src/Ledger.sol";
import {Vault} from "../src/Vault.sol";
import {Withdrawals} from "../src/Withdrawals.sol";
import {Fixture} from "./Fixture.sol";

contract DepositsTest is Fixture {
    uint256 private constant DAVE_KEY = 0xDA7E;

    function test_accounts_are_dense_and_the_fee_account_is_the_first() external {
        same("fee account", vault.accountOf(FEES), 1);
        same("alice", vault.accountOf(ALICE), A);
        same("carol", vault.accountOf(CAROL), C);
        so("owner", vault.accounts(B).owner == BOB);
        same("next", give(address(0xD), LEAST), C + 1);
        same("again", give(address(0xD), LEAST), C + 1);
    }

    function test_a_deposit_is_cash_at_once_and_an_entry_of_the_inbox() external {
        uint64 before = vault.progress().inboxCount;
        bytes32 previous = vault.inboxHash(before);
        give(ALICE, 5e6);
        same("cash", vault.cashOf(A), DEPOSIT + 5e6);
        same("entries", vault.progress().inboxCount, before + 1);
        bytes32 expected = keccak256(
            abi.encode(previous, before + 1, Inbox.Kind.DEPOSITED, A, ALICE, bytes32(uint256(5e6)))
        );
        so("chained", vault.inboxHash(before + 1) == expected);
        checkSolvent();
    }

    function test_anyone_may_deposit_for_an_owner() external {
        usdc.mint(BOB, 5e6);
        vm.prank(BOB);
        usdc.approve(address(vault), 5e6);
        vm.prank(BOB);
        vault.deposit(ALICE, 5e6);
        same("alice", vault.cashOf(A), DEPOSIT + 5e6);
        same("bob", vault.cashOf(B), DEPOSIT);
        checkSolvent();
    }

    function test_a_deposit_without_money_changes_nothing() external {
        vm.expectRevert();
        vm.prank(ALICE);
        vault.deposit(ALICE, 5e6);
        same("cash", vault.cashOf(A), DEPOSIT);
        checkSolvent();
    }

    function permit(uint64 amount) private returns (uint8 v, bytes32 r, bytes32 s) {
        address dave = vm.addr(DAVE_KEY);
        usdc.mint(dave, amount);
        bytes32 inner = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                dave,
                address(vault),
                uint256(amount),
                usdc.nonces(dave),
                type(uint256).max
            )
        );
        return vm.sign(DAVE_KEY, keccak256(abi.encodePacked(hex"1901", usdc.DOMAIN_SEPARATOR(), inner)));
    }

    function test_a_permit_deposits() external {
        (uint8 v, bytes32 r, bytes32 s) = permit(7e6);
        address dave = vm.addr(DAVE_KEY);
        vm.prank(dave);
        uint32 account = vault.depositWithPermit(dave, 7e6, type(uint256).max, v, r, s);
        same("cash", vault.cashOf(account), 7e6);
        checkSolvent();
    }

    function test_a_permit_that_was_spent_first_does_not_block_its_deposit() external {
        (uint8 v, bytes32 r, bytes32 s) = permit(7e6);
        address dave = vm.addr(DAVE_KEY);
        usdc.permit(dave, address(vault), 7e6, type(uint256).max, v, r, s);
        vm.prank(dave);
        uint32 account = vault.depositWithPermit(dave, 7e6, type(uint256).max, v, r, s);
        same("cash", vault.cashOf(account), 7e6);
    }

    function test_an_authorisation_deposits_for_its_signer_whoever_sends_it() external {
        address dave = vm.addr(DAVE_KEY);
        usdc.mint(dave, 9e6);
        bytes32 digest = usdc.receiveDigest(dave, address(vault), 9e6, 0, type(uint256).max, "n");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(DAVE_KEY, digest);
        vm.prank(BOB);
        uint32 account = vault.depositWithAuthorization(dave, 9e6, 0, type(uint256).max, "n", v, r, s);
        same("cash", vault.cashOf(account), 9e6);
        so("owner", vault.accounts(account).owner == dave);
        vm.expectRevert();
        vault.depositWithAuthorization(dave, 9e6, 0, type(uint256).max, "n", v, r, s);
        checkSolvent();
    }

    function test_an_authorisation_is_not_for_somebody_else() external {
        address dave = vm.addr(DAVE_KEY);
        usdc.mint(dave, 9e6);
        bytes32 digest = usdc.receiveDigest(dave, address(vault), 9e6, 0, type(uint256).max, "n");
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(DAVE_KEY, digest);
        vm.expectRevert();
        vault.depositWithAuthorization(BOB, 9e6, 0, type(uint256).max, "n", v, r, s);
    }

    function test_too_little_is_refused() external {
        usdc.mint(ALICE, LEAST);
        vm.prank(ALICE);
        usdc.approve(address(vault), LEAST);
        vm.expectPartialRevert(Deposits.TooLittle.selector);
        vm.prank(ALICE);
        vault.deposit(ALICE, LEAST - 1);
        vm.prank(ALICE);
        vault.deposit(ALICE, LEAST);
    }

    function test_nobody_deposits_for_nobody_or_for_the_vault() external {
        vm.expectPartialRevert(Ledger.BadOwner.selector);
        vault.deposit(address(0), LEAST);
        vm.expectPartialRevert(Ledger.BadOwner.selector);
        vault.deposit(address(vault), LEAST);
    }

    function test_nothing_is_deposited_while_paused_nor_once_frozen() external {
        vm.prank(GUARDIAN);
        vault.pause(1 days);
        vm.expectPartialRevert(Guardian.IsPaused.selector);
        vault.deposit(ALICE, LEAST);
        freeze();
        vm.expectPartialRevert(Guardian.IsFrozen.selector);
        vault.deposit(ALICE, LEAST);
    }

    function test_nothing_is_deposited_to_an_account_that_waits_to_leave() external {
        vm.prank(ALICE);
        vault.requestExit();
        usdc.mint(BOB, LEAST);
        vm.prank(BOB);
        usdc.approve(address(vault), LEAST);
        vm.expectPartialRevert(Deposits.IsLeaving.selector);
        vm.prank(BOB);
        vault.deposit(ALICE, LEAST);
    }

    function test_all_deposits_together_stay_within_63_bits() external {
        uint64 rest = uint64(type(int64).max) - 3 * DEPOSIT;
        usdc.mint(BOB, type(uint64).max);
        vm.prank(BOB);
        usdc.approve(address(vault), type(uint256).max);
        vm.expectPartialRevert(Ledger.HeldTooMuch.selector);
        vm.prank(BOB);
        vault.deposit(BOB, rest + 1);
        vm.prank(BOB);
        vault.deposit(BOB, rest);
        same("cash", vault.cashOf(B), uint256(rest) + DEPOSIT);
        checkSolvent();
    }

    function test_an_owner_binds_a_key_and_the_inbox_says_so() external {
        uint64 before = vault.progress().inboxCount;
        bytes32 previous = vault.inboxHash(before);
        vm.prank(BOB);
        vault.bindKey("key");
        bytes32 expected =
            keccak256(abi.encode(previous, before + 1, Inbox.Kind.KEY_BOUND, B, BOB, bytes32("key")));
        so("chained", vault.inboxHash(before + 1) == expected);
        vm.expectPartialRevert(Ledger.UnknownAccount.selector);
        vault.bindKey("key");
        freeze();
        vm.expectPartialRevert(Guardian.IsFrozen.selector);
        vm.prank(BOB);
        vault.bindKey("key");
    }

    function test_a_vault_is_not_deployed_with_what_cannot_work() external {
        vm.expectPartialRevert(Deposits.BadToken.selector);
        new Vault(IUsdc(address(0xdead)), GUARDIAN, FEES, LEAST, LEAST_CAP, 2, signers);
        vm.expectPartialRevert(Guardian.BadGuardian.selector);
        new Vault(IUsdc(address(usdc)), address(0), FEES, LEAST, LEAST_CAP, 2, signers);
        vm.expectPartialRevert(Ledger.BadOwner.selector);
        new Vault(IUsdc(address(usdc)), GUARDIAN, address(0), LEAST, LEAST_CAP, 2, signers);
        vm.expectPartialRevert(Withdrawals.BadCap.selector);
        new Vault(IUsdc(address(usdc)), GUARDIAN, FEES, LEAST, 0, 2, signers);
    }
}
