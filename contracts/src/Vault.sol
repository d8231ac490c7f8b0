// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deposits} from "./Deposits.sol";
import {Exits} from "./Exits.sol";
import {Guardian} from "./Guardian.sol";
import {IUsdc} from "./IUsdc.sol";
import {Quorum} from "./Quorum.sol";
import {Withdrawals} from "./Withdrawals.sol";

/// @title Vault: the USDC of a Quorumbook venue, and the ledger of whose it is
/// @notice Immutable: no proxy, no owner. docs/settlement.md says whom it trusts with what.
contract Vault is Exits {
    /// @param usdc_ Circle's USDC of this chain.
    /// @param guardian_ Who may pause, return withdrawals and veto keys.
    /// @param feeOwner Whose account 1 is, which takes the venue's fees.
    /// @param leastAmount_ The least to deposit, or to force an exit with, in micro-USDC.
    /// @param leastCap_ The least that may leave a day, in micro-USDC.
    /// @param threshold_ How many replicas must sign; more than half.
    /// @param signers The replicas' addresses, ascending.
    constructor(
        IUsdc usdc_,
        address guardian_,
        address feeOwner,
        uint64 leastAmount_,
        uint64 leastCap_,
        uint8 threshold_,
        address[] memory signers
    ) Quorum(threshold_, signers) Guardian(guardian_) Deposits(usdc_, leastAmount_) Withdrawals(leastCap_) {
        _open(feeOwner);
    }
}
