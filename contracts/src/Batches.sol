// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BatchReader} from "./BatchReader.sol";
import {KeyRotation} from "./KeyRotation.sol";
import {Pools} from "./Pools.sol";
import {Withdrawals} from "./Withdrawals.sol";

/// @title Batches: the net changes of an epoch, which a quorum of replicas signed
/// @notice Nothing that lands on the chain between the cut of a batch and its settlement may block or alter it, but a
/// freeze. Anybody may send a batch, any number of times; it settles once.
abstract contract Batches is KeyRotation, Pools, Withdrawals {
    /// @notice What is signed beside the hash of the payload.
    struct Header {
        uint64 sequence; // of the batch, from 1 without gaps
        uint64 logIndex; // at which the replicas cut it
        uint64 inboxCursor; // the last entry of the inbox that they had consumed there
        bytes32 inboxHash; // of that entry
        bytes32 previous; // digest of the batch before
        bytes32 stateDigest; // chain digest at the cut
        bytes32 liabilitiesRoot; // Merkle-sum root of what is owed at the cut
    }

    bytes32 public constant BATCH_TYPEHASH = keccak256(
        "Batch(uint64 sequence,uint64 logIndex,uint64 inboxCursor,bytes32 inboxHash,bytes32 previous,bytes32 stateDigest,bytes32 liabilitiesRoot,bytes32 payloadHash)"
    );

    /// @notice The digest of the last batch.
    bytes32 public lastBatch;

    event BatchSettled(
        uint64 indexed sequence,
        bytes32 indexed digest,
        uint64 logIndex,
        uint64 inboxCursor,
        bytes32 stateDigest,
        bytes32 liabilitiesRoot
    );

    error BadSequence(uint64 expected);
    error BadPrevious();
    error BadLogIndex();
    error BadInbox();
    error NotConserved(int256 surplus);
    error Trailing();

    /// @notice Settle a batch.
    /// @param header What was signed beside the payload.
    /// @param payload Pools that begin, positions, prices, payouts, cash, withdrawals: see docs/settlement.md.
    /// @param signatures Exactly `threshold` of 65 bytes, by signers in ascending order.
    function settle(Header calldata header, bytes calldata payload, bytes calldata signatures)
        external
        whenNotFrozen
    {
        _advance(header);
        bytes32 digest = batchDigest(header, payload);
        _checkQuorum(digest, signatures);
        lastBatch = digest;
        _apply(payload);
        emit BatchSettled(
            header.sequence,
            digest,
            header.logIndex,
            header.inboxCursor,
            header.stateDigest,
            header.liabilitiesRoot
        );
    }

    /// @notice Return what the replicas sign.
    function batchDigest(Header calldata header, bytes calldata payload) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(BATCH_TYPEHASH, header, keccak256(payload))));
    }

    /// @dev Check that the batch is the next one, and make it the last.
    function _advance(Header calldata header) private {
        Progress memory now_ = _progress;
        if (header.sequence != now_.sequence + 1) revert BadSequence(now_.sequence + 1);
        if (header.previous != lastBatch) revert BadPrevious();
        if (header.logIndex <= now_.logIndex) revert BadLogIndex();
        if (header.inboxCursor < now_.inboxCursor || header.inboxCursor > now_.inboxCount) revert BadInbox();
        if (header.inboxHash != inboxHash[header.inboxCursor]) revert BadInbox();
        now_.sequence = header.sequence;
        now_.logIndex = header.logIndex;
        now_.inboxCursor = header.inboxCursor;
        _progress = now_;
    }

    /// @dev Every section, in order, to the last byte. Whoever signed: no account below 0, every pool balanced, and what
    /// cash gains is what collateral loses.
    function _apply(bytes calldata payload) private {
        uint256 offset;
        assembly ("memory-safe") {
            offset := payload.offset
        }
        uint256 end = offset + payload.length;
        int256 locked;
        int256 cash;
        uint256 paid;
        uint256 queued;
        uint256 count;
        offset = _beginPools(offset);
        (offset, locked) = _movePositions(offset);
        offset = _settlePrices(offset);
        (offset, paid) = _payOut(offset);
        (count, offset) = BatchReader.u16(offset);
        (offset, cash,) = _applyDeltas(offset, count, CASH);
        if (cash + locked != 0) revert NotConserved(cash + locked);
        (offset, queued) = _queueWithdrawals(offset);
        if (offset != end) revert Trailing();
        int256 gain = int256(paid) - locked;
        Totals memory sums = _totals;
        sums.cash = _toAmount(int256(uint256(sums.cash)) + gain - int256(queued));
        sums.locked = _toAmount(int256(uint256(sums.locked)) - gain);
        sums.pending += uint64(queued);
        _totals = sums;
    }
}
