// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IUsdc} from "../src/IUsdc.sol";
import {Ledger} from "../src/Ledger.sol";
import {Pools} from "../src/Pools.sol";
import {Vault} from "../src/Vault.sol";
import {Adversary} from "./Adversary.sol";
import {Fixture} from "./Fixture.sol";
import {MockUsdc} from "./MockUsdc.sol";

/// What holds whatever anybody does; and at the end of every run, that everybody gets out.
contract InvariantsTest is Fixture {
    string private constant COUNTS = "out/adversary.txt";
    uint32 private constant LAST = 6;
    Adversary private _adversary;

    function setUp() public override {
        vm.warp(START);
        usdc = new MockUsdc();
        (keys, signers) = makeKeys(0x5eed, 3);
        vault = new Vault(IUsdc(address(usdc)), GUARDIAN, FEES, LEAST, LEAST_CAP, 2, signers);
        for (uint160 i = 0; i < 5; ++i) {
            give(address(0x9000 + i), DEPOSIT);
        }
        beginPools();
        _adversary = new Adversary(vault, usdc, GUARDIAN, keys);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_adversary);
    }

    function invariant_what_is_held_is_what_is_owed() external view {
        Ledger.Totals memory t = vault.totals();
        uint256 owed = uint256(t.cash) + t.locked + t.pending;
        same("balance", usdc.balanceOf(address(vault)), owed + _adversary.donated());
        uint256 cash = 0;
        for (uint32 a = 0; a <= LAST + 2; ++a) {
            cash += vault.cashOf(a);
        }
        same("cash", cash, t.cash);
        uint256 pending = 0;
        for (uint64 id = 1; id <= vault.withdrawalCount(); ++id) {
            (, uint64 amount,) = vault.withdrawals(id);
            pending += amount;
        }
        same("pending", pending, t.pending);
        same("locked", uint256(vault.pools(7).locked) + vault.pools(20).locked, t.locked);
    }

    function invariant_a_pool_owes_the_same_whatever_wins() external view {
        _checkPool(7, 7, 7);
        _checkPool(20, 20, 22);
    }

    function _checkPool(uint32 id, uint32 first, uint32 last) private view {
        Pools.Pool memory pool = vault.pools(id);
        uint256 owed = 0;
        int256 short = 0;
        for (uint32 m = first; m <= last; ++m) {
            Pools.Market memory market = vault.markets(m);
            int256 sum = 0;
            for (uint32 a = 1; a <= LAST; ++a) {
                int256 lots = vault.positionOf(a, m);
                sum += lots;
                if (lots < 0) short -= lots;
                if (market.settled) {
                    owed += lots > 0 ? uint256(lots) * market.price : uint256(-lots) * (10_000 - market.price);
                }
            }
            if (pool.settled == 0) same("longs less shorts", sum, pool.sets);
        }
        if (pool.settled == pool.count) same("owed", pool.locked, owed);
        else same("locked", int256(uint256(pool.locked)), 10_000 * (pool.sets + short));
    }

    function invariant_batches_settle_one_after_the_other() external view {
        same("sequence", vault.progress().sequence, _adversary.settled() + 1);
        so("cursor", vault.progress().inboxCursor <= vault.progress().inboxCount);
    }

    function invariant_nothing_is_stolen() external view {
        for (uint256 i = 0; i < 9; ++i) {
            same("taken", _adversary.taken(i), 0);
        }
    }

    /// At the end of a run: somebody asks to leave, nobody answers, and everybody takes everything.
    function afterInvariant() external {
        _count();
        _freezeByExit();
        _settleEvenly();
        for (uint32 a = 1; a <= vault.totals().accounts; ++a) {
            vault.redeem(a, 7);
            for (uint32 m = 20; m <= 22; ++m) {
                vault.redeem(a, m);
            }
            if (vault.cashOf(a) != 0) vault.escape(a);
        }
        for (uint64 id = 1; id <= vault.withdrawalCount(); ++id) {
            (, uint64 amount,) = vault.withdrawals(id);
            if (amount != 0) vault.claim(id);
        }
        same("only what was given to it is left", usdc.balanceOf(address(vault)), _adversary.donated());
        same("locked", vault.totals().locked, 0);
    }

    function _freezeByExit() private {
        address last = address(0xE817);
        vm.warp(block.timestamp + 1 days); // no pause stops deposits any more
        uint32 account = give(last, LEAST);
        vm.prank(last);
        vault.requestExit();
        vm.warp(block.timestamp + 3 days);
        vault.freeze(account);
    }

    function _settleEvenly() private {
        vm.warp(block.timestamp + 200 days);
        uint32[] memory one = new uint32[](1);
        one[0] = 7;
        uint32[] memory three_ = new uint32[](3);
        (three_[0], three_[1], three_[2]) = (20, 21, 22);
        if (vault.pools(7).settled == 0) vault.settleEvenly(7, one);
        if (vault.pools(20).settled != 3) vault.settleEvenly(20, three_);
    }

    function _count() private {
        string memory line = vm.toString(_adversary.settled());
        line = string.concat(line, " ", vm.toString(_adversary.refused()));
        for (uint256 i = 0; i < 9; ++i) {
            line = string.concat(
                line, " ", vm.toString(_adversary.attempts(i)), " ", vm.toString(_adversary.taken(i))
            );
        }
        vm.writeLine(COUNTS, line);
    }
}
