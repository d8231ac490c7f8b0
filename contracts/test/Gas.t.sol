// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../src/Batches.sol";
import {IUsdc} from "../src/IUsdc.sol";
import {Vault} from "../src/Vault.sol";
import {Fixture} from "./Fixture.sol";
import {Payload, Sections} from "./Payload.sol";

/// What each act costs as a transaction of its own, calldata and the 21,000 for being one included.
/// forge-config: default.isolate = true
contract GasTest is Fixture {
    uint32 private constant USERS = 1_000;
    uint32 private constant FIRST = 8; // the first of the many: a word's first lane

    function setUp() public override {
        super.setUp();
        for (uint32 a = C + 1; a < FIRST + USERS; ++a) {
            give(address(uint160(0x100000 + a)), 10e6);
        }
        settle(trade());
    }

    /// `count` accounts, every `step`th, swap lots of a market in pairs; cash follows.
    function many(uint32 market, uint32 count, uint32 step, int64 lots)
        private
        pure
        returns (Sections memory s)
    {
        bytes memory positions;
        bytes memory cash;
        for (uint32 i = 0; i < count; ++i) {
            uint32 account = FIRST + i * step;
            positions = bytes.concat(positions, Payload.delta(account, i % 2 == 0 ? lots : -lots));
            cash = bytes.concat(cash, Payload.delta(account, -5_000 * lots));
        }
        s = Payload.none();
        bytes memory deltas = Payload.market(market, Payload.list(count, positions));
        s.positions = Payload.list(1, Payload.pool(market < 20 ? market : 20, 0, 1, deltas));
        s.cash = Payload.list(count, cash);
    }

    function paid(Sections memory s) private returns (uint256) {
        bytes memory payload = Payload.join(s);
        Batches.Header memory h = header();
        bytes memory signatures = quorum(vault.batchDigest(h, payload));
        vault.settle(h, payload, signatures);
        return vm.lastCallGas().total;
    }

    function note(string memory name, uint256 gas) private {
        vm.snapshotValue("Vault", name, gas);
    }

    function test_gas_of_batches() external {
        uint256 empty = paid(Payload.none());
        note("batch: empty, 2 of 3 sign", empty);
        uint256 first = paid(many(7, 500, 1, 1));
        note("batch: 500 dense accounts, first touch, per account", first / 500);
        uint256 dense = paid(many(7, 500, 1, 1));
        note("batch: 500 dense accounts, per account", dense / 500);
        so("the aim", dense / 500 < 4_000);
        paid(many(20, 500, 2, 1));
        note("batch: 500 of 1,000 accounts, per account", paid(many(20, 500, 2, 1)) / 500);
        paid(many(21, 100, 10, 1));
        note("batch: 100 of 1,000 accounts, per account", paid(many(21, 100, 10, 1)) / 100);
        payouts();
    }

    function payouts() private {
        paid(final7(5_000));
        bytes memory accounts;
        bytes memory amounts;
        for (uint32 i = 0; i < 500; ++i) {
            accounts = bytes.concat(accounts, abi.encodePacked(FIRST + i));
        }
        for (uint32 i = 0; i < 100; ++i) {
            amounts = bytes.concat(amounts, Payload.amount(FIRST + i, 1_000));
        }
        Sections memory s = Payload.none();
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(500), accounts));
        note("batch: 500 payouts, each", paid(s) / 500);
        s = Payload.none();
        s.withdrawals = Payload.list(100, amounts);
        note("batch: 100 withdrawals queued, each", paid(s) / 100);
    }

    function test_gas_of_a_quorum_of_five() external {
        (keys, signers) = makeKeys(0x55, 5);
        vault = new Vault(IUsdc(address(usdc)), GUARDIAN, FEES, LEAST, LEAST_CAP, 3, signers);
        paid(Payload.none());
        note("batch: empty, 3 of 5 sign", paid(Payload.none()));
    }

    function test_gas_of_one_account() external {
        give(address(0xD1), 5e6);
        note("deposit: first", vm.lastCallGas().total);
        give(address(0xD1), 5e6);
        note("deposit: again", vm.lastCallGas().total);
        vm.prank(ALICE);
        vault.bindKey("key");
        note("bind a key", vm.lastCallGas().total);
        settle(withdraw(A, 50e6));
        vm.warp(START + 1 days);
        vault.claim(1);
        note("claim", vm.lastCallGas().total);
        vm.prank(ALICE);
        vault.requestExit();
        note("request an exit", vm.lastCallGas().total);
        settle(final7(10_000));
        vault.redeem(A, 7);
        note("redeem", vm.lastCallGas().total);
        vm.warp(START + 4 days);
        vault.freeze(A);
        note("freeze", vm.lastCallGas().total);
        vault.escape(B);
        note("escape", vm.lastCallGas().total);
    }
}
