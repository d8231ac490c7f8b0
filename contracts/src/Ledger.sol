// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Lanes} from "./Lanes.sol";

/// @title Ledger: who owns what, four accounts to a word
/// @notice A ledger of books. Book 0 is cash in micro-USDC and is never negative; the book of any other number is that
/// market's net positions in lots, YES above 0 and NO below.
/// @dev Always: cash + locked + pending = what was deposited less what was paid, and never more than the USDC held.
abstract contract Ledger {
    /// @notice What belongs to all accounts together, in micro-USDC, and what a batch must know beside it.
    struct Totals {
        uint64 cash;
        uint64 locked;
        uint64 pending;
        uint32 accounts;
    }

    /// @notice Whose an account is, and since when it waits to leave (0: it does not).
    struct Account {
        address owner;
        uint40 exitAt;
    }

    /// @notice The lanes of four accounts.
    struct Word {
        uint256 lanes;
    }

    uint256 internal constant CASH = 0;
    uint32 public constant FEE_ACCOUNT = 1;

    /// @notice Everything deposited together stays below this, and so no lane of cash can overflow.
    uint256 public constant HELD_MAX = uint256(uint64(type(int64).max));

    /// @dev book << 32 | account >> 2, to four lanes.
    mapping(uint256 place => Word) private _words;
    mapping(uint32 id => Account) internal _accounts;

    /// @notice The number of an owner's account, 0 if there is none.
    mapping(address owner => uint32 id) public accountOf;

    Totals internal _totals;

    /// @notice Accounts of a section must ascend strictly, and each must change.
    error NotCanonical(uint256 account);
    error CashBelowZero(uint256 account);
    error UnknownAccount(uint256 account);
    error HeldTooMuch();
    error BadOwner();

    /// @notice Return an account's cash in micro-USDC.
    function cashOf(uint32 account) public view returns (uint64) {
        // Cash is never negative and has 63 bits. forge-lint: disable-next-line(unsafe-typecast)
        return uint64(uint256(_lane(CASH, account)));
    }

    /// @notice Return an account's net position in a market, in lots.
    function positionOf(uint32 account, uint32 market) public view returns (int64) {
        if (market == CASH) return 0;
        // A lane has 64 bits. forge-lint: disable-next-line(unsafe-typecast)
        return int64(_lane(market, account));
    }

    /// @notice Return whose an account is, and since when it waits to leave.
    function accounts(uint32 account) external view returns (Account memory) {
        return _accounts[account];
    }

    /// @notice Return the sums of all accounts.
    function totals() external view returns (Totals memory) {
        return _totals;
    }

    /// @dev The account of `owner`, opened if this is the first time.
    function _open(address owner) internal returns (uint32 account) {
        if (owner == address(0) || owner == address(this)) revert BadOwner();
        account = accountOf[owner];
        if (account == 0) {
            account = ++_totals.accounts;
            accountOf[owner] = account;
            _accounts[account].owner = owner;
        }
    }

    /// @dev Give new money to an account.
    function _credit(uint32 account, uint64 amount) internal {
        Totals memory sums = _totals;
        if (uint256(sums.cash) + sums.locked + sums.pending + amount > HELD_MAX) revert HeldTooMuch();
        _totals.cash = sums.cash + amount;
        _change(CASH, account, int256(uint256(amount)));
    }

    function _lane(uint256 book, uint256 account) internal view returns (int256) {
        return Lanes.get(_words[_place(book, account)].lanes, account);
    }

    /// @dev Change one lane.
    function _change(uint256 book, uint256 account, int256 delta) internal {
        Word storage word = _words[_place(book, account)];
        int256 value;
        (word.lanes, value,) = Lanes.add(word.lanes, account, delta);
        if (book == CASH && value < 0) revert CashBelowZero(account);
    }

    /// @dev Apply `count` deltas of 12 bytes, read at `offset`, to a book; accounts ascend strictly and each changes.
    /// Returns the offset after them, the sum of the deltas, and by how much all shorts together grew.
    function _applyDeltas(uint256 offset, uint256 count, uint256 book)
        internal
        returns (uint256 end, int256 sum, int256 shorter)
    {
        unchecked {
            end = offset + 12 * count;
            uint256 last;
            Word storage word = _words[type(uint256).max]; // no word is open yet: account 0 cannot be named
            uint256 lanes;
            for (; offset != end; offset += 12) {
                uint256 account;
                int256 delta;
                assembly ("memory-safe") {
                    let entry := calldataload(offset)
                    account := shr(224, entry)
                    delta := signextend(7, shr(160, entry))
                }
                if (account <= last || delta == 0) revert NotCanonical(account);
                if ((account ^ last) > 3 || last == 0) {
                    if (last != 0) word.lanes = lanes;
                    word = _words[_place(book, account)];
                    lanes = word.lanes;
                }
                last = account;
                sum += delta;
                // As `Lanes.add`, without the call; `delta` is the lane's new value from here on.
                assembly ("memory-safe") {
                    let shift := shl(6, and(account, 3))
                    let before := signextend(7, shr(shift, lanes))
                    delta := add(before, delta)
                    lanes := xor(lanes, shl(shift, and(xor(before, delta), 0xFFFFFFFFFFFFFFFF)))
                    shorter := add(shorter, sub(mul(slt(before, 0), before), mul(slt(delta, 0), delta)))
                }
                if (delta != int64(delta)) revert Lanes.LaneOverflow(account);
                if (delta < 0) {
                    if (book == CASH) revert CashBelowZero(account);
                }
            }
            if (last != 0) word.lanes = lanes;
            if (last > _totals.accounts) revert UnknownAccount(last);
        }
    }

    function _place(uint256 book, uint256 account) private pure returns (uint256) {
        return (book << 32) | (account >> 2);
    }
}
