// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "./Guardian.sol";
import {Quorum} from "./Quorum.sol";

/// @title KeyRotation: the keys in force name those that follow
/// @notice A quorum proposes; after a delay anyone may install; until then the guardian may veto.
abstract contract KeyRotation is Quorum, Guardian {
    /// @notice Keys that were proposed, and from when they can be installed.
    struct Rotation {
        uint40 readyAt;
        uint8 threshold;
        address[] signers;
    }

    uint256 public constant ROTATION_DELAY = 1 days;
    bytes32 public constant ROTATION_TYPEHASH =
        keccak256("Rotation(uint64 number,uint8 threshold,bytes32 signersHash)");

    /// @notice How many rotations were proposed. A proposal is signed with its number: what was vetoed or replaced
    /// cannot be proposed again with the same signatures.
    uint64 public rotations;
    Rotation private _rotation;

    event RotationProposed(uint64 indexed number, uint8 threshold, address[] signers, uint40 readyAt);
    event RotationVetoed(uint64 indexed number);

    error NoRotation();
    error RotationTooEarly();

    /// @notice Propose keys, in ascending order. Takes the place of a proposal that waits.
    function proposeRotation(uint8 threshold_, address[] calldata signers, bytes calldata signatures)
        external
    {
        _checkKeys(threshold_, signers);
        uint64 number = ++rotations;
        _checkQuorum(rotationDigest(number, threshold_, signers), signatures);
        uint40 readyAt = uint40(block.timestamp + ROTATION_DELAY);
        _rotation = Rotation(readyAt, threshold_, signers);
        emit RotationProposed(number, threshold_, signers, readyAt);
    }

    /// @notice Refuse the proposal that waits.
    function vetoRotation() external onlyGuardian {
        if (_rotation.readyAt == 0) revert NoRotation();
        delete _rotation;
        emit RotationVetoed(rotations);
    }

    /// @notice Install the keys that were proposed, once their time has come.
    function rotate() external {
        Rotation memory rotation = _rotation;
        if (rotation.readyAt == 0) revert NoRotation();
        if (block.timestamp < rotation.readyAt) revert RotationTooEarly();
        delete _rotation;
        _install(rotation.threshold, rotation.signers);
    }

    /// @notice Return what the keys in force sign to propose others.
    function rotationDigest(uint64 number, uint8 threshold_, address[] calldata signers)
        public
        view
        returns (bytes32)
    {
        bytes32 signersHash = keccak256(abi.encodePacked(signers));
        return _hashTypedDataV4(keccak256(abi.encode(ROTATION_TYPEHASH, number, threshold_, signersHash)));
    }

    /// @notice Return the proposal that waits; `readyAt` is 0 if there is none.
    function rotationProposed() external view returns (Rotation memory) {
        return _rotation;
    }
}
