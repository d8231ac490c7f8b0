// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Inbox: what happened on the chain, for the replicas to consume in order
/// @notice Entries are numbered from 1 without gaps and chained by hash. A signed batch names the last entry that its
/// replicas had consumed and that entry's hash, so a batch cannot settle on a chain with another history.
abstract contract Inbox {
    /// @notice DEPOSITED and RETURNED carry an amount, KEY_BOUND an Ed25519 key, EXIT_REQUESTED nothing.
    enum Kind {
        NONE,
        DEPOSITED,
        KEY_BOUND,
        EXIT_REQUESTED,
        RETURNED
    }

    /// @notice How many entries there are.
    uint64 public inboxCount;

    /// @notice The hash of an entry and of all before it; that of entry 0 is zero.
    mapping(uint64 index => bytes32 hash) public inboxHash;

    /// @notice One entry. `value` is an amount in micro-USDC, a key, or zero.
    event Entered(uint64 indexed index, Kind indexed kind, uint32 indexed account, address owner, bytes32 value);

    /// @dev Append an entry.
    function _enter(Kind kind, uint32 account, address owner, bytes32 value) internal {
        bytes32 previous = inboxHash[inboxCount];
        uint64 index = ++inboxCount;
        inboxHash[index] = keccak256(abi.encode(previous, index, kind, account, owner, value));
        emit Entered(index, kind, account, owner, value);
    }
}
