// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title Quorum: the replicas' keys, and what they signed together
/// @notice A signed digest names neither the keys nor their number: when keys change between the cut of a batch and its
/// settlement, the new keys sign the same digest, and the chain of hashes goes on.
abstract contract Quorum is EIP712 {
    uint256 public constant SIGNERS_MAX = 32;
    uint256 private constant _SIGNATURE_SIZE = 65;

    /// @notice The last set that an address was in.
    mapping(address signer => uint32 set) public keySetOf;

    /// @notice Which set of keys is in force, from 1. What follows, up to the guardian, shares its word.
    uint32 public keySet;

    /// @notice How many must sign: more than half of the signers.
    uint8 public threshold;

    /// @notice These keys are in force now.
    event KeysInstalled(uint32 indexed set, uint8 threshold, address[] signers);

    error BadKeys();
    error BadQuorum();

    constructor(uint8 threshold_, address[] memory signers) EIP712("Quorumbook Vault", "1") {
        _install(threshold_, signers);
    }

    /// @notice Return the EIP-712 domain separator.
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev Check that a set of keys could be installed: ascending, none zero, and any two quorums share a signer.
    function _checkKeys(uint8 threshold_, address[] memory signers) internal pure {
        if (signers.length > SIGNERS_MAX || threshold_ > signers.length) revert BadKeys();
        if (2 * uint256(threshold_) <= signers.length) revert BadKeys();
        address last = address(0);
        for (uint256 i = 0; i < signers.length; ++i) {
            if (signers[i] <= last) revert BadKeys();
            last = signers[i];
        }
    }

    /// @dev Put a set of keys in the place of the one in force.
    function _install(uint8 threshold_, address[] memory signers) internal {
        _checkKeys(threshold_, signers);
        uint32 set = ++keySet;
        threshold = threshold_;
        for (uint256 i = 0; i < signers.length; ++i) {
            keySetOf[signers[i]] = set;
        }
        emit KeysInstalled(set, threshold_, signers);
    }

    /// @dev Check exactly `threshold` signatures (r, s, v) of signers in ascending order: there is one form for a set of
    /// signers. `ECDSA` refuses a high s and the zero address.
    function _checkQuorum(bytes32 digest, bytes calldata signatures) internal view {
        uint256 count = threshold;
        uint32 set = keySet;
        if (signatures.length != count * _SIGNATURE_SIZE) revert BadQuorum();
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata signature = signatures[i * _SIGNATURE_SIZE:(i + 1) * _SIGNATURE_SIZE];
            address signer = ECDSA.recoverCalldata(digest, signature);
            if (signer <= last || keySetOf[signer] != set) revert BadQuorum();
            last = signer;
        }
    }
}
