// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "../src/Batches.sol";
import {Vault} from "../src/Vault.sol";
import {Cheats, Vm} from "./Cheats.sol";
import {MockUsdc} from "./MockUsdc.sol";
import {Payload, Sections} from "./Payload.sol";

/// Users, honest replicas and a thief, in whatever order forge likes. The thief's every attempt is counted, and whether
/// the vault took it.
contract Adversary is Cheats {
    enum Theft {
        WITHOUT_QUORUM,
        REPLAYED,
        SKIPPED,
        REORDERED,
        OTHER_CHAIN,
        OTHER_HISTORY,
        UNBALANCED,
        STOLEN_CASH,
        PAID_TWICE,
        KINDS
    }

    uint32 private constant LAST = 6;
    Vault public immutable vault;
    MockUsdc public immutable usdc;
    address public immutable guardian;
    uint256[] private _keys;
    uint256[9] public attempts;
    uint256[9] public taken;
    uint256 public settled;
    uint256 public refused;
    uint256 public donated;
    Batches.Header private _lastHeader;
    bytes private _lastPayload;
    bytes private _lastSignatures;

    constructor(Vault vault_, MockUsdc usdc_, address guardian_, uint256[] memory keys) {
        (vault, usdc, guardian, _keys) = (vault_, usdc_, guardian_, keys);
    }

    // ------------------------------------------------------------------------------------------ users
    function owner(uint256 seed) public pure returns (address) {
        return address(uint160(0x9000 + seed % 5));
    }

    function deposit(uint256 who, uint256 amount) external {
        amount = within(amount, 1e6, 1_000e6);
        address from = owner(who);
        usdc.mint(from, amount);
        vm.prank(from);
        usdc.approve(address(vault), amount);
        vm.prank(from);
        vault.deposit(from, uint64(amount));
    }

    function donate(uint256 amount) external {
        amount = within(amount, 1, 1e6);
        usdc.mint(address(vault), amount);
        donated += amount;
    }

    function requestExit(uint256 who) external {
        vm.prank(owner(who));
        vault.requestExit();
    }

    function redeem(uint256 who, uint256 market) external {
        vault.redeem(_account(who), _market(market));
    }

    function claim(uint256 id) external {
        vault.claim(uint64(within(id, 1, vault.withdrawalCount() + 1)));
    }

    function pass(uint256 time) external {
        vm.warp(block.timestamp + within(time, 1 minutes, 6 hours));
    }

    function pauseAndReturn(uint256 id) external {
        vm.prank(guardian);
        vault.pause(1 hours);
        uint64 chosen = uint64(within(id, 1, vault.withdrawalCount() + 1));
        vm.prank(guardian);
        vault.returnWithdrawal(chosen);
    }

    // --------------------------------------------------------------------------------------- replicas
    /// One buys YES of a market from another.
    function trade(uint256 buyer, uint256 seller, uint256 market, uint256 lots, uint256 price) external {
        uint32 a = _account(buyer);
        uint32 b = _account(seller);
        uint32 m = _market(market);
        if (a == b || vault.markets(m).settled) return;
        _trade(a, b, m, int64(uint64(within(lots, 1, 20_000))), int64(uint64(within(price, 1, 9_999))));
    }

    function _trade(uint32 a, uint32 b, uint32 m, int64 n, int64 p) private {
        Sections memory s = Payload.none();
        s.cash = _cash(
            a,
            _covered(vault.positionOf(a, m), n) - n * p,
            b,
            _covered(-vault.positionOf(b, m), n) - n * (10_000 - p)
        );
        bytes memory market = Payload.market(m, Payload.swap(a, b, n));
        s.positions = Payload.list(1, Payload.pool(m < 20 ? m : 20, 0, 1, market));
        _honest(s);
    }

    /// What becomes cash because `lots` cover what one was short of.
    function _covered(int64 position, int64 lots) private pure returns (int64) {
        int64 short = _shortfall(position);
        return 10_000 * (lots < short ? lots : short);
    }

    /// One makes or merges sets of the event.
    function makeSets(uint256 who, int256 count) external {
        if (vault.pools(20).settled != 0) return;
        uint32 a = _account(who);
        int64 k = int64(count % 5_000);
        if (k == 0) return;
        int64 locked = k;
        bytes memory one = Payload.list(1, Payload.delta(a, k));
        bytes memory markets;
        for (uint32 m = 20; m <= 22; ++m) {
            int64 before = vault.positionOf(a, m);
            locked += _shortfall(before + k) - _shortfall(before);
            markets = bytes.concat(markets, Payload.market(m, one));
        }
        Sections memory s = Payload.none();
        s.positions = Payload.list(1, Payload.pool(20, k, 3, markets));
        if (locked != 0) s.cash = Payload.list(1, Payload.delta(a, -10_000 * locked));
        _honest(s);
    }

    function settleMarket(uint256 price, uint256 which) external {
        if (which % 4 != 0) return; // trading lasts longer than settling
        Sections memory s = Payload.none();
        s.prices = Payload.list(1, Payload.price(7, uint16(within(price, 0, 10_000))));
        s.payouts = Payload.list(1, abi.encodePacked(uint32(7), uint16(3), uint32(2), uint32(3), uint32(4)));
        _honest(s);
    }

    function settleEvent(uint256 x, uint256 y, uint256 which) external {
        if (which % 4 != 0) return;
        uint16 first = uint16(within(x, 0, 10_000));
        uint16 second = uint16(within(y, 0, 10_000 - first));
        Sections memory s = Payload.none();
        s.prices = Payload.list(
            3,
            bytes.concat(
                Payload.price(20, first),
                Payload.price(21, second),
                Payload.price(22, 10_000 - first - second)
            )
        );
        _honest(s);
    }

    function queue(uint256 who, uint256 amount) external {
        uint32 a = _account(who);
        Sections memory s = Payload.none();
        uint64 cash = vault.cashOf(a);
        s.withdrawals =
            Payload.list(1, Payload.amount(a, amount % 2 == 0 ? cash : uint64(within(amount, 0, cash))));
        _honest(s);
    }

    // ------------------------------------------------------------------------------------------ thief
    function steal(uint256 kind, uint256 seed) external {
        Theft theft = Theft(kind % uint256(Theft.KINDS));
        if (theft == Theft.PAID_TWICE) return _claimTwice(seed);
        bytes memory payload = Payload.join(_loot(theft, seed));
        Batches.Header memory h = _next();
        bytes memory signatures;
        if (theft == Theft.REPLAYED || theft == Theft.REORDERED) {
            if (_lastHeader.sequence == 0) return;
            (h, payload) = (_lastHeader, _lastPayload);
            signatures = _lastSignatures;
            if (theft == Theft.REORDERED) {
                h.sequence = vault.progress().sequence + 1;
                signatures = _quorum(vault.batchDigest(h, payload));
            }
        } else {
            if (theft == Theft.SKIPPED) h.sequence += uint64(within(seed, 1, 5));
            if (theft == Theft.OTHER_HISTORY) h.inboxHash = keccak256(abi.encode(seed));
            if (theft == Theft.OTHER_CHAIN) vm.chainId(31338);
            bytes32 digest = vault.batchDigest(h, payload);
            if (theft == Theft.OTHER_CHAIN) vm.chainId(31337);
            signatures = theft == Theft.WITHOUT_QUORUM ? _forged(digest, seed) : _quorum(digest);
        }
        _attempt(theft, h, payload, signatures);
    }

    function _loot(Theft theft, uint256 seed) private view returns (Sections memory s) {
        s = Payload.none();
        uint32 a = _account(seed);
        uint32 b = _account(seed + 1);
        if (theft == Theft.UNBALANCED) {
            int64 n = int64(uint64(within(seed, 1, 1e9)));
            if (seed % 3 == 0) {
                s.cash = Payload.list(1, Payload.delta(a, n));
            } else if (seed % 3 == 1) {
                s.cash = Payload.two(a, n, b, -n + 1);
            } else {
                s.positions =
                    Payload.list(1, Payload.pool(7, 0, 1, Payload.market(7, Payload.two(a, n, b, 1 - n))));
            }
        } else if (theft == Theft.STOLEN_CASH) {
            int64 all = int64(vault.cashOf(b)) + 1; // one more than there is
            s.cash = Payload.two(a, all, b, -all);
        }
    }

    function _forged(bytes32 digest, uint256 seed) private returns (bytes memory) {
        bytes memory mine = _sign(0xbad + seed % 7, digest);
        bytes memory one = _sign(_keys[seed % 3], digest);
        if (seed % 5 == 0) return one;
        if (seed % 5 == 1) return bytes.concat(one, one);
        if (seed % 5 == 2) return bytes.concat(mine, one);
        if (seed % 5 == 3) return bytes.concat(one, mine);
        return bytes.concat(_sign(_keys[1], digest), _sign(_keys[0], digest));
    }

    function _claimTwice(uint256 seed) private {
        uint64 id = uint64(within(seed, 0, vault.withdrawalCount() + 1));
        (, uint64 amount,) = vault.withdrawals(id);
        if (amount != 0) return;
        ++attempts[uint256(Theft.PAID_TWICE)];
        try vault.claim(id) {
            ++taken[uint256(Theft.PAID_TWICE)];
        } catch {}
    }

    function _attempt(Theft theft, Batches.Header memory h, bytes memory payload, bytes memory signatures)
        private
    {
        ++attempts[uint256(theft)];
        try vault.settle(h, payload, signatures) {
            ++taken[uint256(theft)];
        } catch {}
    }

    // ---------------------------------------------------------------------------------------- helpers
    function _honest(Sections memory s) private {
        bytes memory payload = Payload.join(s);
        Batches.Header memory h = _next();
        bytes memory signatures = _quorum(vault.batchDigest(h, payload));
        try vault.settle(h, payload, signatures) {
            ++settled;
            (_lastHeader, _lastPayload, _lastSignatures) = (h, payload, signatures);
        } catch {
            ++refused; // somebody had too little cash, a price was final already, or all is frozen
        }
    }

    function _next() private view returns (Batches.Header memory h) {
        h.sequence = vault.progress().sequence + 1;
        h.logIndex = vault.progress().logIndex + 1;
        h.inboxCursor = vault.progress().inboxCount;
        h.inboxHash = vault.inboxHash(h.inboxCursor);
        h.previous = vault.lastBatch();
    }

    function _sign(uint256 key, bytes32 digest) private returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _quorum(bytes32 digest) private returns (bytes memory) {
        return bytes.concat(_sign(_keys[0], digest), _sign(_keys[2], digest));
    }

    function _account(uint256 seed) private pure returns (uint32) {
        return uint32(within(seed, 2, LAST));
    }

    function _market(uint256 seed) private pure returns (uint32) {
        return seed % 4 == 0 ? 7 : uint32(20 + seed % 3);
    }

    function _shortfall(int64 lots) private pure returns (int64) {
        return lots < 0 ? -lots : int64(0);
    }

    function _cash(uint32 a, int64 x, uint32 b, int64 y) private pure returns (bytes memory) {
        if (x == 0 && y == 0) return Payload.NONE;
        if (x == 0) return Payload.list(1, Payload.delta(b, y));
        if (y == 0) return Payload.list(1, Payload.delta(a, x));
        return Payload.two(a, x, b, y);
    }
}
