// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchReader} from "./BatchReader.sol";
import {Deposits} from "./Deposits.sol";
import {IUsdc} from "./IUsdc.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Withdrawals: USDC out, pulled and never pushed
/// @notice A batch queues; after a delay anyone may claim for the owner. An owner whom USDC refuses stops nobody else.
/// Payments of a day are capped, so that stolen keys cannot empty the vault before somebody looks; what exceeds the cap
/// is paid in parts, as it refills, so that no withdrawal is ever too large to be paid.
abstract contract Withdrawals is Deposits {
    using SafeERC20 for IUsdc;

    /// @notice What waits to be paid to an account's owner.
    struct Withdrawal {
        uint32 account;
        uint64 amount;
        uint40 payableAt;
    }

    uint256 public constant WITHDRAWAL_DELAY = 10 minutes;

    /// @notice The share of everything held that may be paid at once, and refills within a day.
    uint256 public constant CAP_DIVISOR = 5;

    /// @notice The cap is never below this, in micro-USDC.
    uint64 public immutable leastCap;

    /// @notice How many withdrawals there were; each has a number from 1.
    uint64 public withdrawalCount;

    /// @notice What is used of the cap, as of `_usedAt`.
    uint64 private _used;
    uint40 private _usedAt;
    mapping(uint64 id => Withdrawal) public withdrawals;

    event WithdrawalQueued(uint64 indexed id, uint32 indexed account, uint64 amount, uint40 payableAt);
    event WithdrawalPaid(uint64 indexed id, uint32 indexed account, address owner, uint64 amount);
    event WithdrawalReturned(uint64 indexed id, uint32 indexed account, uint64 amount);
    event ExitServed(uint32 indexed account);

    error NothingQueued();
    error TooEarly();
    error CapReached();
    error BadCap();

    constructor(uint64 leastCap_) {
        if (leastCap_ == 0) revert BadCap();
        leastCap = leastCap_;
    }

    /// @notice Pay what was queued to its owner, as far as the cap allows; once frozen, all of it and at once.
    function claim(uint64 id) external nonReentrant returns (uint64 amount) {
        Withdrawal storage withdrawal = withdrawals[id];
        uint32 account = withdrawal.account;
        amount = withdrawal.amount;
        if (amount == 0) revert NothingQueued();
        if (frozenAt == 0) {
            _checkNotPaused();
            if (block.timestamp < withdrawal.payableAt) revert TooEarly();
            amount = _useCap(amount);
        }
        withdrawal.amount -= amount;
        _totals.pending -= amount;
        address owner = _accounts[account].owner;
        emit WithdrawalPaid(id, account, owner, amount);
        usdc.safeTransfer(owner, amount);
    }

    /// @notice While paused, put what is queued back into its owner's cash, and nowhere else.
    function returnWithdrawal(uint64 id) external onlyGuardian {
        if (!paused()) revert NotPaused();
        Withdrawal storage withdrawal = withdrawals[id];
        uint64 amount = withdrawal.amount;
        uint32 account = withdrawal.account;
        if (amount == 0) revert NothingQueued();
        withdrawal.amount = 0;
        _totals.pending -= amount;
        _totals.cash += amount;
        _change(CASH, account, int256(uint256(amount)));
        emit WithdrawalReturned(id, account, amount);
        _enter(Kind.RETURNED, account, _accounts[account].owner, bytes32(uint256(amount)));
    }

    /// @notice Return how much could be paid now.
    function available() public view returns (uint256) {
        (uint256 cap, uint256 used) = _capAndUsed();
        return cap > used ? cap - used : 0;
    }

    /// @dev u16 accounts { u32 account, u64 amount }, ascending. Returns the sum. An account that leaves no cash has
    /// left, if it waited to; 0 answers one that has nothing. The amount is always the replicas', never "all of it":
    /// what lands between cut and settlement does not change what a batch does.
    function _queueWithdrawals(uint256 offset) internal returns (uint256, uint256 sum) {
        uint256 count;
        uint256 last = 0;
        for ((count, offset) = BatchReader.u16(offset); count != 0; --count) {
            uint256 account;
            uint256 amount;
            (account, offset) = BatchReader.u32(offset);
            (amount, offset) = BatchReader.u64(offset);
            if (account <= last) revert NotCanonical(account);
            last = account;
            _queue(uint32(account), uint64(amount));
            sum += amount;
        }
        if (last > _totals.accounts) revert UnknownAccount(last);
        return (offset, sum);
    }

    function _queue(uint32 account, uint64 amount) private {
        if (amount != 0) {
            _change(CASH, account, -int256(uint256(amount)));
            uint40 payableAt = uint40(block.timestamp + WITHDRAWAL_DELAY);
            uint64 id = ++withdrawalCount;
            withdrawals[id] = Withdrawal(account, amount, payableAt);
            emit WithdrawalQueued(id, account, amount, payableAt);
        }
        if (_accounts[account].exitAt != 0 && _lane(CASH, account) == 0) {
            _accounts[account].exitAt = 0;
            emit ExitServed(account);
        }
    }

    /// @dev Use up to `amount` of the cap, at least something.
    function _useCap(uint64 amount) private returns (uint64) {
        (uint256 cap, uint256 used) = _capAndUsed();
        if (used >= cap) revert CapReached();
        if (amount > cap - used) amount = uint64(cap - used);
        _used = uint64(used) + amount;
        _usedAt = uint40(block.timestamp);
        return amount;
    }

    /// @dev What is used of the cap falls evenly, by a whole cap a day.
    function _capAndUsed() private view returns (uint256 cap, uint256 used) {
        Totals memory sums = _totals;
        cap = (uint256(sums.cash) + sums.locked + sums.pending) / CAP_DIVISOR; // rounds down
        if (cap < leastCap) cap = leastCap;
        uint256 refilled = cap * (block.timestamp - _usedAt) / 1 days; // rounds down
        used = _used > refilled ? _used - refilled : 0;
    }
}
