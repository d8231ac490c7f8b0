// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Lanes: four signed 64-bit numbers in one word
/// @notice Accounts 4k to 4k + 3 share the word of number k, account 4k in its lowest bits. A batch names accounts in
/// ascending order, so each word is read once and written once however many of its four accounts it changes.
library Lanes {
    int256 internal constant MOST = type(int64).max;
    uint256 private constant _MASK = type(uint64).max;

    /// @notice A lane would leave `least`..MOST.
    error LaneOutOfRange(uint256 account, int256 value);

    /// @notice Return the lane of an account.
    function get(uint256 word, uint256 account) internal pure returns (int256 value) {
        uint256 shift = (account & 3) << 6;
        assembly ("memory-safe") {
            value := signextend(7, shr(shift, word))
        }
    }

    /// @notice Return the word with an account's lane raised by `delta`, and by how much its shortfall below 0 grew.
    /// @dev `delta` has at most 64 bits, so nothing here can leave 256: unchecked is exact.
    function add(uint256 word, uint256 account, int256 delta, int256 least)
        internal
        pure
        returns (uint256 changed, int256 shorter)
    {
        unchecked {
            int256 before = get(word, account);
            int256 value = before + delta;
            if (value < least || value > MOST) revert LaneOutOfRange(account, value);
            uint256 shift = (account & 3) << 6;
            // Casting to uint256 and masking keeps the two's complement of the lane's 64 bits.
            // forge-lint: disable-next-line(unsafe-typecast)
            changed = (word & ~(_MASK << shift)) | ((uint256(value) & _MASK) << shift);
            shorter = (value < 0 ? -value : int256(0)) - (before < 0 ? -before : int256(0));
        }
    }
}
