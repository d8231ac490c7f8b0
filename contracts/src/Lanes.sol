// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Lanes: four signed 64-bit numbers in one word
/// @notice Accounts 4k to 4k + 3 share the word of number k, account 4k in its lowest bits. A batch names accounts in
/// ascending order, so each word is read once and written once however many of its four accounts it changes.
library Lanes {
    uint256 private constant _MASK = 0xFFFFFFFFFFFFFFFF;

    /// @notice A lane would leave its 64 bits.
    error LaneOverflow(uint256 account);

    /// @notice Return the lane of an account.
    function get(uint256 word, uint256 account) internal pure returns (int256 value) {
        uint256 shift = (account & 3) << 6;
        assembly ("memory-safe") {
            value := signextend(7, shr(shift, word))
        }
    }

    /// @notice Return the word with an account's lane raised by `delta`, the lane's new value, and by how much its
    /// shortfall below 0 grew. `delta` has few enough bits that no sum here leaves 256.
    /// @dev The hot loop of every batch, so without branches: x < 0 times -x is the shortfall of x.
    function add(uint256 word, uint256 account, int256 delta)
        internal
        pure
        returns (uint256 changed, int256 value, int256 shorter)
    {
        bool fits;
        assembly ("memory-safe") {
            let shift := shl(6, and(account, 3))
            let before := signextend(7, shr(shift, word))
            value := add(before, delta)
            fits := eq(value, signextend(7, value))
            changed := xor(word, shl(shift, and(xor(before, value), _MASK)))
            shorter := sub(mul(slt(before, 0), before), mul(slt(value, 0), value))
        }
        if (!fits) revert LaneOverflow(account);
    }
}
