// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchReader} from "./BatchReader.sol";
import {Ledger} from "./Ledger.sol";

/// @title Pools: the collateral behind positions
/// @notice A pool is one market, or all markets of an exclusive event (of which exactly one wins). Its number is that of
/// its first market. If in every market of a pool longs less shorts are the same number p of sets, then whatever wins,
/// the pool owes p + all shorts, and that is what is locked: see docs/settlement.md for the proof. A single market has
/// p = 0: as many long as short.
/// @dev Prices are in units of 0.0001 USDC and positions in lots of 0.01 share, so price times lots is exactly
/// micro-USDC: nothing rounds.
abstract contract Pools is Ledger {
    /// @notice The collateral and prices of a pool.
    struct Pool {
        uint64 locked; // micro-USDC
        int64 sets; // lots
        uint40 resolveBy; // seconds
        uint16 count; // of markets
        uint16 settled; // of these
        uint16 priceSum; // of the settled
    }

    /// @notice A market's place, and its price once it is final.
    struct Market {
        uint32 pool;
        uint16 ordinal;
        uint16 price;
        bool settled;
    }

    uint256 public constant PRICE_SCALE = 10_000;

    /// @notice A pool's date is at most this far away: nobody's collateral waits for a date that never comes.
    uint256 public constant RESOLVE_WITHIN_MAX = 1826 days;
    int256 private constant _SCALE = int256(PRICE_SCALE);

    mapping(uint256 id => Pool) internal _pools;
    mapping(uint256 id => Market) internal _markets;

    event PoolBegun(uint256 indexed pool, uint256 count, uint256 resolveBy);
    event PriceFinal(uint256 indexed market, uint256 price);
    event Redeemed(uint256 indexed account, uint256 indexed market, uint256 amount);

    error BadMarket(uint256 market);
    error MarketSettled(uint256 market);
    error MarketNotSettled(uint256 market);
    error PositionsUnbalanced(uint256 market);
    error BadSets(uint256 pool);
    error BadPrice(uint256 market, uint256 price);

    /// @notice Return a pool.
    function pools(uint32 pool) external view returns (Pool memory) {
        return _pools[pool];
    }

    /// @notice Return a market.
    function markets(uint32 market) external view returns (Market memory) {
        return _markets[market];
    }

    /// @notice Turn an account's position in a market whose price is final into its cash. Anyone may; a batch that
    /// carries the same payout later finds nothing left to pay and settles all the same.
    function redeem(uint32 account, uint32 market) external returns (uint256 amount) {
        amount = _redeem(account, market);
        _totals.cash += uint64(amount);
        _totals.locked -= uint64(amount);
    }

    /// @dev u16 pools { u40 resolveBy, u16 markets { u32 market } }: pools by first market, markets in each, ascending.
    function _beginPools(uint256 offset) internal returns (uint256) {
        uint256 count;
        uint256 last = 0;
        for ((count, offset) = BatchReader.u16(offset); count != 0; --count) {
            uint256 resolveBy;
            uint256 size;
            (resolveBy, offset) = BatchReader.u40(offset);
            (size, offset) = BatchReader.u16(offset);
            uint256 pool;
            (pool,) = BatchReader.u32(offset);
            if (size == 0 || pool <= last) revert BadMarket(pool);
            last = pool;
            offset = _beginMarkets(offset, pool, size);
            uint256 latest = block.timestamp + RESOLVE_WITHIN_MAX;
            if (resolveBy > latest) resolveBy = latest;
            _pools[pool].count = uint16(size);
            _pools[pool].resolveBy = uint40(resolveBy);
            emit PoolBegun(pool, size, resolveBy);
        }
        return offset;
    }

    function _beginMarkets(uint256 offset, uint256 pool, uint256 size) private returns (uint256) {
        uint256 last = 0;
        for (uint256 ordinal = 0; ordinal < size; ++ordinal) {
            uint256 market;
            (market, offset) = BatchReader.u32(offset);
            if (market <= last || _markets[market].pool != 0) revert BadMarket(market);
            last = market;
            _markets[market].pool = uint32(pool);
            _markets[market].ordinal = uint16(ordinal);
        }
        return offset;
    }

    /// @dev u16 pools { u32 pool, i64 sets, u16 markets { u32 market, u16 accounts { u32 account, i64 lots } } }, all
    /// ascending. Returns by how much what is locked grew, in micro-USDC.
    function _movePositions(uint256 offset) internal returns (uint256, int256 locked) {
        uint256 count;
        uint256 last = 0;
        for ((count, offset) = BatchReader.u16(offset); count != 0; --count) {
            uint256 pool;
            int256 change;
            (pool, offset) = BatchReader.u32(offset);
            if (pool <= last) revert BadMarket(pool);
            last = pool;
            (offset, change) = _movePool(offset, pool);
            locked += change;
        }
        return (offset, locked);
    }

    function _movePool(uint256 offset, uint256 pool) private returns (uint256, int256 locked) {
        Pool memory state = _pools[pool];
        int256 sets;
        uint256 count;
        (sets, offset) = BatchReader.i64(offset);
        (count, offset) = BatchReader.u16(offset);
        if (count == 0) revert BadSets(pool);
        // A set is in every market, of which there are several and none is over.
        if (sets != 0 && (count != state.count || count == 1 || state.settled != 0)) revert BadSets(pool);
        locked = sets;
        uint256 last = 0;
        for (; count != 0; --count) {
            uint256 market;
            int256 shorter;
            (market, offset) = BatchReader.u32(offset);
            if (market <= last || _markets[market].pool != pool) revert BadMarket(market);
            last = market;
            (offset, shorter) = _moveMarket(offset, market, sets);
            locked += shorter;
        }
        locked *= _SCALE;
        state.sets = _toLane(state.sets + sets);
        state.locked = _toAmount(int256(uint256(state.locked)) + locked);
        _pools[pool] = state;
        return (offset, locked);
    }

    function _moveMarket(uint256 offset, uint256 market, int256 sets)
        private
        returns (uint256, int256 shorter)
    {
        if (_markets[market].settled) revert MarketSettled(market);
        uint256 count;
        int256 sum;
        (count, offset) = BatchReader.u16(offset);
        if (count == 0) revert BadMarket(market);
        (offset, sum, shorter) = _applyDeltas(offset, count, market);
        if (sum != sets) revert PositionsUnbalanced(market);
        return (offset, shorter);
    }

    /// @dev u16 markets { u32 market, u16 price }, ascending: these prices are final.
    function _settlePrices(uint256 offset) internal returns (uint256) {
        uint256 count;
        uint256 last = 0;
        for ((count, offset) = BatchReader.u16(offset); count != 0; --count) {
            uint256 market;
            uint256 price;
            (market, offset) = BatchReader.u32(offset);
            (price, offset) = BatchReader.u16(offset);
            if (market <= last) revert BadMarket(market);
            last = market;
            _settle(market, price);
        }
        return offset;
    }

    /// @dev Make a price final. The prices of a pool of several come to 1 USDC, exactly, with the last.
    function _settle(uint256 id, uint256 price) internal {
        Market storage market = _markets[id];
        if (market.pool == 0) revert BadMarket(id);
        if (market.settled) revert MarketSettled(id);
        Pool storage pool = _pools[market.pool];
        uint256 sum = pool.priceSum + price;
        uint16 settled = pool.settled + 1;
        bool isLast = settled == pool.count;
        if (sum > PRICE_SCALE || (isLast && pool.count > 1 && sum != PRICE_SCALE)) {
            revert BadPrice(id, price);
        }
        pool.settled = settled;
        pool.priceSum = uint16(sum);
        market.settled = true;
        market.price = uint16(price);
        emit PriceFinal(id, price);
    }

    /// @dev u16 markets { u32 market, u16 accounts { u32 account } }, all ascending. Returns what was paid.
    function _payOut(uint256 offset) internal returns (uint256, uint256 paid) {
        uint256 count;
        uint256 last = 0;
        for ((count, offset) = BatchReader.u16(offset); count != 0; --count) {
            uint256 market;
            uint256 amount;
            (market, offset) = BatchReader.u32(offset);
            if (market <= last) revert BadMarket(market);
            last = market;
            (offset, amount) = _payOutMarket(offset, market);
            paid += amount;
        }
        return (offset, paid);
    }

    function _payOutMarket(uint256 offset, uint256 market) private returns (uint256, uint256 paid) {
        uint256 count;
        uint256 last = 0;
        (count, offset) = BatchReader.u16(offset);
        if (count == 0) revert BadMarket(market);
        for (; count != 0; --count) {
            uint256 account;
            (account, offset) = BatchReader.u32(offset);
            if (account <= last) revert NotCanonical(account);
            last = account;
            paid += _redeem(account, market);
        }
        return (offset, paid);
    }

    /// @dev Pay a position of a settled market into its owner's cash; the caller moves the totals. A position that was
    /// paid already pays nothing.
    function _redeem(uint256 account, uint256 id) private returns (uint256 amount) {
        Market memory market = _markets[id];
        if (!market.settled) revert MarketNotSettled(id);
        int256 lots = _lane(id, account);
        if (lots == 0) return 0;
        amount = lots > 0 ? uint256(lots) * market.price : uint256(-lots) * (PRICE_SCALE - market.price);
        _change(id, account, -lots);
        _change(CASH, account, int256(amount));
        _pools[market.pool].locked -= uint64(amount);
        emit Redeemed(account, id, amount);
    }

    function _toAmount(int256 value) internal pure returns (uint64) {
        if (value < 0 || uint256(value) > HELD_MAX) revert HeldTooMuch();
        // Within 63 bits, as was just checked. forge-lint: disable-next-line(unsafe-typecast)
        return uint64(uint256(value));
    }

    function _toLane(int256 value) private pure returns (int64) {
        if (value < type(int64).min || value > type(int64).max) revert HeldTooMuch();
        // Within 64 bits, as was just checked. forge-lint: disable-next-line(unsafe-typecast)
        return int64(value);
    }
}
