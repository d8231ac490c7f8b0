// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The sections of a batch's payload, each with its count.
struct Sections {
    bytes pools;
    bytes positions;
    bytes prices;
    bytes payouts;
    bytes cash;
    bytes withdrawals;
}

/// Writes payloads. Nothing here checks anything: tests write bad ones too.
library Payload {
    bytes internal constant NONE = hex"0000";

    function none() internal pure returns (Sections memory) {
        return Sections(NONE, NONE, NONE, NONE, NONE, NONE);
    }

    function join(Sections memory s) internal pure returns (bytes memory) {
        return bytes.concat(s.pools, s.positions, s.prices, s.payouts, s.cash, s.withdrawals);
    }

    function list(uint256 count, bytes memory items) internal pure returns (bytes memory) {
        return abi.encodePacked(uint16(count), items);
    }

    function delta(uint32 account, int64 change) internal pure returns (bytes memory) {
        return abi.encodePacked(account, change);
    }

    /// The changes `+lots` for one account and `-lots` for another, ascending.
    function swap(uint32 long, uint32 short, int64 lots) internal pure returns (bytes memory) {
        if (long < short) return list(2, bytes.concat(delta(long, lots), delta(short, -lots)));
        return list(2, bytes.concat(delta(short, -lots), delta(long, lots)));
    }

    function two(uint32 a, int64 x, uint32 b, int64 y) internal pure returns (bytes memory) {
        if (a < b) return list(2, bytes.concat(delta(a, x), delta(b, y)));
        return list(2, bytes.concat(delta(b, y), delta(a, x)));
    }

    function market(uint32 id, bytes memory deltas) internal pure returns (bytes memory) {
        return abi.encodePacked(id, deltas);
    }

    function pool(uint32 id, int64 sets, uint256 count, bytes memory markets)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodePacked(id, sets, uint16(count), markets);
    }

    function beginOne(uint40 resolveBy, uint32 id) internal pure returns (bytes memory) {
        return abi.encodePacked(resolveBy, uint16(1), id);
    }

    function beginThree(uint40 resolveBy, uint32 a, uint32 b, uint32 c) internal pure returns (bytes memory) {
        return abi.encodePacked(resolveBy, uint16(3), a, b, c);
    }

    function price(uint32 id, uint16 units) internal pure returns (bytes memory) {
        return abi.encodePacked(id, units);
    }

    function amount(uint32 account, uint64 units) internal pure returns (bytes memory) {
        return abi.encodePacked(account, units);
    }
}
