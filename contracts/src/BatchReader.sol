// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title BatchReader: big-endian numbers at a place in the calldata
/// @notice Places are absolute offsets into the calldata and only ever grow. Past the payload these read whatever
/// follows, or zeros; whoever reads a payload must end exactly at its end, so that such reads never settle.
library BatchReader {
    /// @notice Return the 16-bit number at `offset`, and the place after it.
    function u16(uint256 offset) internal pure returns (uint256 value, uint256 next) {
        assembly ("memory-safe") {
            value := shr(240, calldataload(offset))
            next := add(offset, 2)
        }
    }

    /// @notice Return the 32-bit number at `offset`, and the place after it.
    function u32(uint256 offset) internal pure returns (uint256 value, uint256 next) {
        assembly ("memory-safe") {
            value := shr(224, calldataload(offset))
            next := add(offset, 4)
        }
    }

    /// @notice Return the 40-bit number at `offset` (a time in seconds), and the place after it.
    function u40(uint256 offset) internal pure returns (uint256 value, uint256 next) {
        assembly ("memory-safe") {
            value := shr(216, calldataload(offset))
            next := add(offset, 5)
        }
    }

    /// @notice Return the 64-bit number at `offset`, and the place after it.
    function u64(uint256 offset) internal pure returns (uint256 value, uint256 next) {
        assembly ("memory-safe") {
            value := shr(192, calldataload(offset))
            next := add(offset, 8)
        }
    }

    /// @notice Return the signed 64-bit number at `offset`, and the place after it.
    function i64(uint256 offset) internal pure returns (int256 value, uint256 next) {
        assembly ("memory-safe") {
            value := sar(192, calldataload(offset))
            next := add(offset, 8)
        }
    }
}
