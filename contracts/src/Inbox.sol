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

    /// @notice How far both sides have come; one word, which a batch reads once and writes once.
    struct Progress {
        uint64 sequence; // of the last batch
        uint64 logIndex; // at which it was cut
        uint64 inboxCursor; // the last entry that its replicas had consumed there
        uint64 inboxCount; // entries there are
    }

    /// @notice The hash of an entry and of all before it; that of entry 0 is zero.
    mapping(uint64 index => bytes32 hash) public inboxHash;

    Progress internal _progress;

    /// @notice One entry. `value` is an amount in micro-USDC, a key, or zero.
    event Entered(
        uint64 indexed index, Kind indexed kind, uint32 indexed account, address owner, bytes32 value
    );

    /// @notice Return how far batches and the inbox have come.
    function progress() external view returns (Progress memory) {
        return _progress;
    }

    /// @dev Append an entry.
    function _enter(Kind kind, uint32 account, address owner, bytes32 value) internal {
        uint64 last = _progress.inboxCount;
        bytes32 previous = inboxHash[last];
        uint64 index = last + 1;
        _progress.inboxCount = index;
        inboxHash[index] = keccak256(abi.encode(previous, index, kind, account, owner, value));
        emit Entered(index, kind, account, owner, value);
    }
}
