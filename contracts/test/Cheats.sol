// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// What the tests ask of forge.
interface Vm {
    function sign(uint256 key, bytes32 digest) external returns (uint8 v, bytes32 r, bytes32 s);
    function addr(uint256 key) external returns (address);
    function prank(address sender) external;
    function warp(uint256 time) external;
    function chainId(uint256 id) external;
    function expectPartialRevert(bytes4 selector) external;
    function expectRevert() external;
    function assume(bool condition) external;
    function snapshotValue(string calldata group, string calldata name, uint256 value) external;
    function lastCallGas() external returns (Gas memory);
    function writeLine(string calldata path, string calldata line) external;
    function toString(uint256 value) external returns (string memory);

    struct Gas {
        uint64 limit;
        uint64 total;
        uint64 memoryUsed;
        int64 refunded;
        uint64 remaining;
    }
}

/// Assertions that say what they compared.
abstract contract Cheats {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    bool public constant IS_TEST = true;

    error NotEqual(string what, int256 found, int256 expected);
    error NotSo(string what);

    function same(string memory what, uint256 found, uint256 expected) internal pure {
        if (found != expected) revert NotEqual(what, int256(found), int256(expected));
    }

    function same(string memory what, int256 found, int256 expected) internal pure {
        if (found != expected) revert NotEqual(what, found, expected);
    }

    function so(string memory what, bool condition) internal pure {
        if (!condition) revert NotSo(what);
    }

    function within(uint256 value, uint256 least, uint256 most) internal pure returns (uint256) {
        return least + value % (most - least + 1);
    }
}
