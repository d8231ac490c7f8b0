// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../src/Batches.sol";
import {IUsdc} from "../src/IUsdc.sol";
import {Ledger} from "../src/Ledger.sol";
import {Pools} from "../src/Pools.sol";
import {Vault} from "../src/Vault.sol";
import {Cheats} from "./Cheats.sol";
import {MockUsdc} from "./MockUsdc.sol";
import {Payload, Sections} from "./Payload.sol";

/// A vault of three replicas, two of whom must sign, with three users of 1,000 USDC each, a market (7) and an exclusive
/// event (20, 21, 22).
abstract contract Fixture is Cheats {
    address internal constant GUARDIAN = address(0x6A);
    address internal constant FEES = address(0xFEE);
    address internal constant ALICE = address(0xA11CE);
    address internal constant BOB = address(0xB0B);
    address internal constant CAROL = address(0xCA201);
    uint32 internal constant A = 2;
    uint32 internal constant B = 3;
    uint32 internal constant C = 4;
    uint64 internal constant DEPOSIT = 1_000e6;
    uint64 internal constant LEAST = 1e6;
    uint64 internal constant LEAST_CAP = 100e6;
    uint40 internal constant START = 1_800_000_000;
    uint40 internal constant RESOLVE_BY = START + 100 days;

    Vault internal vault;
    MockUsdc internal usdc;
    uint256[] internal keys;
    address[] internal signers;

    function setUp() public virtual {
        vm.warp(START);
        usdc = new MockUsdc();
        (keys, signers) = makeKeys(0x5eed, 3);
        vault = new Vault(IUsdc(address(usdc)), GUARDIAN, FEES, LEAST, LEAST_CAP, 2, signers);
        give(ALICE, DEPOSIT);
        give(BOB, DEPOSIT);
        give(CAROL, DEPOSIT);
        beginPools();
    }

    function beginPools() internal {
        Sections memory s = Payload.none();
        s.pools = Payload.list(
            2, bytes.concat(Payload.beginOne(RESOLVE_BY, 7), Payload.beginThree(RESOLVE_BY, 20, 21, 22))
        );
        settle(s);
    }

    /// `count` keys from `seed`, by ascending address.
    function makeKeys(uint256 seed, uint256 count)
        internal
        returns (uint256[] memory made, address[] memory owners)
    {
        made = new uint256[](count);
        owners = new address[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 key = uint256(keccak256(abi.encode(seed, i))) >> 8;
            address owner = vm.addr(key);
            uint256 j = i;
            for (; j > 0 && owners[j - 1] > owner; --j) {
                (made[j], owners[j]) = (made[j - 1], owners[j - 1]);
            }
            (made[j], owners[j]) = (key, owner);
        }
    }

    function give(address owner, uint64 amount) internal returns (uint32) {
        usdc.mint(owner, amount);
        vm.prank(owner);
        usdc.approve(address(vault), amount);
        vm.prank(owner);
        return vault.deposit(owner, amount);
    }

    function signature(uint256 key, bytes32 digest) internal returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// The signatures of the first `threshold` keys.
    function quorum(bytes32 digest) internal returns (bytes memory signatures) {
        for (uint256 i = 0; i < vault.threshold(); ++i) {
            signatures = bytes.concat(signatures, signature(keys[i], digest));
        }
    }

    /// What the replicas would sign now.
    function header() internal view returns (Batches.Header memory h) {
        h.sequence = vault.progress().sequence + 1;
        h.logIndex = vault.progress().logIndex + 10;
        h.inboxCursor = vault.progress().inboxCount;
        h.inboxHash = vault.inboxHash(h.inboxCursor);
        h.previous = vault.lastBatch();
        h.stateDigest = keccak256("state");
        h.liabilitiesRoot = keccak256("liabilities");
    }

    function settle(Sections memory s) internal {
        settleBytes(Payload.join(s));
    }

    function settleBytes(bytes memory payload) internal {
        Batches.Header memory h = header();
        bytes memory signatures = quorum(vault.batchDigest(h, payload));
        vault.settle(h, payload, signatures);
    }

    /// A quorum signs, and the vault refuses all the same.
    function refuse(Sections memory s, bytes4 why) internal {
        refuseBytes(Payload.join(s), why);
    }

    function refuseBytes(bytes memory payload, bytes4 why) internal {
        refuseHeader(header(), payload, why);
    }

    function refuseHeader(Batches.Header memory h, bytes memory payload, bytes4 why) internal {
        bytes memory signatures = quorum(vault.batchDigest(h, payload));
        vm.expectPartialRevert(why);
        vault.settle(h, payload, signatures);
    }

    /// Alice buys 100 lots of market 7 from Bob at 0.60.
    function trade() internal pure returns (Sections memory s) {
        s = Payload.none();
        s.positions = Payload.list(1, Payload.pool(7, 0, 1, Payload.market(7, Payload.swap(A, B, 100))));
        s.cash = Payload.two(A, -600_000, B, -400_000);
    }

    /// Market 7 comes to `price`.
    function final7(uint16 price) internal pure returns (Sections memory s) {
        s = Payload.none();
        s.prices = Payload.list(1, Payload.price(7, price));
    }

    function three(uint16 x, uint16 y, uint16 z) internal pure returns (bytes memory) {
        return Payload.list(3, bytes.concat(Payload.price(20, x), Payload.price(21, y), Payload.price(22, z)));
    }

    /// Complete sets of the event for one account: YES of all three outcomes.
    function sets(uint32 account, int64 count) internal pure returns (bytes memory) {
        bytes memory one = Payload.list(1, Payload.delta(account, count));
        return Payload.list(
            1,
            Payload.pool(
                20,
                count,
                3,
                bytes.concat(Payload.market(20, one), Payload.market(21, one), Payload.market(22, one))
            )
        );
    }

    function withdraw(uint32 account, uint64 amount) internal pure returns (Sections memory s) {
        s = Payload.none();
        s.withdrawals = Payload.list(1, Payload.amount(account, amount));
    }

    /// Everything is where the ledger says.
    function checkSolvent() internal view {
        Ledger.Totals memory t = vault.totals();
        same(
            "balance = cash + locked + pending",
            usdc.balanceOf(address(vault)),
            uint256(t.cash) + t.locked + t.pending
        );
        uint256 cash = 0;
        for (uint32 a = 0; a <= t.accounts; ++a) {
            cash += vault.cashOf(a);
        }
        same("cash of all accounts", cash, t.cash);
        same("collateral of all pools", uint256(vault.pools(7).locked) + vault.pools(20).locked, t.locked);
    }

    function freeze() internal {
        vm.prank(CAROL);
        vault.requestExit();
        vm.warp(block.timestamp + 3 days);
        vault.freeze(C);
    }
}
