// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Batches} from "./Batches.sol";
import {IUsdc} from "./IUsdc.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Exits: the way out without the replicas
/// @notice An owner asks to leave. If that is not served within three days, anyone may freeze the vault, for good: then
/// no batch settles, and everybody takes their cash and redeems settled positions from this ledger.
abstract contract Exits is Batches {
    using SafeERC20 for IUsdc;

    uint256 public constant EXIT_DELAY = 3 days;

    /// @notice How long after its date, and after the freeze, a market that nobody settled can be settled evenly.
    uint256 public constant EVEN_DELAY = 30 days;
    bytes32 public constant PRICES_TYPEHASH = keccak256("Prices(bytes32 payloadHash)");

    event ExitRequested(uint32 indexed account, uint40 since);
    event Frozen(uint32 indexed account);
    event Escaped(uint32 indexed account, address owner, uint64 amount);

    error ExitPending();
    error NoExit();
    error BadMarkets();

    /// @notice Ask to take all of the caller's cash out. It changes no balance, and so no batch.
    function requestExit() external whenNotFrozen {
        uint32 account = accountOf[msg.sender];
        if (account == 0) revert UnknownAccount(account);
        if (_accounts[account].exitAt != 0) revert ExitPending();
        if (cashOf(account) < leastAmount) revert TooLittle();
        _accounts[account].exitAt = uint40(block.timestamp);
        emit ExitRequested(account, uint40(block.timestamp));
        _enter(Kind.EXIT_REQUESTED, account, msg.sender, 0);
    }

    /// @notice Freeze the vault because an exit was not served in time. No pause stops this.
    function freeze(uint32 account) external whenNotFrozen {
        uint256 since = _accounts[account].exitAt;
        if (since == 0) revert NoExit();
        if (block.timestamp < since + EXIT_DELAY) revert TooEarly();
        _freeze();
        emit Frozen(account);
    }

    /// @notice Once frozen, pay an account's cash to its owner. Anyone may send it, as often as there is cash.
    function escape(uint32 account) external nonReentrant whenFrozen returns (uint64 amount) {
        amount = cashOf(account);
        if (amount == 0) revert NothingQueued();
        _change(CASH, account, -int256(uint256(amount)));
        _totals.cash -= amount;
        address owner = _accounts[account].owner;
        emit Escaped(account, owner, amount);
        usdc.safeTransfer(owner, amount);
    }

    /// @notice Once frozen, make prices final that a quorum still signs: u16 markets { u32 market, u16 price }.
    function settlePrices(bytes calldata prices, bytes calldata signatures) external whenFrozen {
        _checkQuorum(pricesDigest(prices), signatures);
        uint256 offset;
        assembly ("memory-safe") {
            offset := prices.offset
        }
        if (_settlePrices(offset) != offset + prices.length) revert Trailing();
    }

    /// @notice Once frozen and long after its date, settle what is open of a pool evenly, as a void is: one half for a
    /// single market; else what is left of 1 USDC, in equal shares, with remaining units to the first.
    /// @param poolId The pool.
    /// @param marketIds All its markets in order.
    function settleEvenly(uint32 poolId, uint32[] calldata marketIds) external whenFrozen {
        Pool memory pool = _pools[poolId];
        uint256 since = pool.resolveBy > frozenAt ? pool.resolveBy : frozenAt;
        if (block.timestamp < since + EVEN_DELAY) revert TooEarly();
        if (pool.count == 0 || marketIds.length != pool.count || pool.settled == pool.count) {
            revert BadMarkets();
        }
        uint256 open = uint256(pool.count) - pool.settled;
        uint256 left = pool.count == 1 ? PRICE_SCALE / 2 : PRICE_SCALE - pool.priceSum;
        uint256 extra = left % open;
        for (uint256 i = 0; i < marketIds.length; ++i) {
            Market memory market = _markets[marketIds[i]];
            if (market.pool != poolId || market.ordinal != i) revert BadMarkets();
            if (market.settled) continue;
            _settle(marketIds[i], left / open + (extra == 0 ? 0 : 1));
            if (extra != 0) --extra;
        }
    }

    /// @notice Return what a quorum signs to make prices final after a freeze.
    function pricesDigest(bytes calldata prices) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(PRICES_TYPEHASH, keccak256(prices))));
    }
}
