// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Guardian} from "./Guardian.sol";
import {IUsdc} from "./IUsdc.sol";
import {Inbox} from "./Inbox.sol";
import {Ledger} from "./Ledger.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Deposits: USDC in, as cash at once
/// @notice The first deposit for an owner opens the owner's account. Nothing is deposited to an account that waits to
/// leave: a grain of somebody else's would keep it from having left.
abstract contract Deposits is Guardian, Ledger, Inbox, ReentrancyGuardTransient {
    using SafeERC20 for IUsdc;

    IUsdc public immutable usdc;

    /// @notice The least that is deposited, and the least cash with which to force an exit, in micro-USDC: each makes
    /// work for the replicas.
    uint64 public immutable leastAmount;

    error TooLittle();
    error IsLeaving();
    error BadToken();

    constructor(IUsdc usdc_, uint64 leastAmount_) {
        if (address(usdc_).code.length == 0) revert BadToken();
        usdc = usdc_;
        leastAmount = leastAmount_;
    }

    /// @notice Deposit the caller's USDC for `owner`, with an allowance given before.
    function deposit(address owner, uint64 amount) external nonReentrant returns (uint32 account) {
        account = _enterDeposit(owner, amount);
        usdc.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice The same with a permit (EIP-2612) of the caller's.
    function depositWithPermit(address owner, uint64 amount, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
        nonReentrant
        returns (uint32 account)
    {
        account = _enterDeposit(owner, amount);
        // Whoever sees the permit can spend it first; then the allowance is there already.
        try usdc.permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}
        usdc.safeTransferFrom(msg.sender, address(this), amount);
    }

    /// @notice Deposit with an authorisation (EIP-3009) of `owner`'s, who need not pay gas: anybody may send it, and
    /// only the vault can use it.
    function depositWithAuthorization(
        address owner,
        uint64 amount,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (uint32 account) {
        account = _enterDeposit(owner, amount);
        usdc.receiveWithAuthorization(owner, address(this), amount, validAfter, validBefore, nonce, v, r, s);
    }

    /// @notice Name the Ed25519 key that trades for the caller's account.
    function bindKey(bytes32 key) external whenNotFrozen {
        uint32 account = accountOf[msg.sender];
        if (account == 0) revert UnknownAccount(account);
        _enter(Kind.KEY_BOUND, account, msg.sender, key);
    }

    /// @dev All that a deposit changes here; if the USDC does not follow, the whole call is undone.
    function _enterDeposit(address owner, uint64 amount) private whenNotFrozen returns (uint32 account) {
        _checkNotPaused();
        if (amount == 0 || amount < leastAmount) revert TooLittle();
        account = _open(owner);
        if (_accounts[account].exitAt != 0) revert IsLeaving();
        _credit(account, amount);
        _enter(Kind.DEPOSITED, account, owner, bytes32(uint256(amount)));
    }
}
