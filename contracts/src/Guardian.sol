// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Guardian: who may stop payments for a while, and say no to new keys
/// @notice The guardian moves no money but back to its owner's cash. A pause stops deposits and payments, never batches,
/// exits, the freeze or what follows it; it has an end, and a gap follows in which an exit can be served and paid.
abstract contract Guardian {
    uint256 public constant PAUSE_MAX = 3 days;
    uint256 public constant PAUSE_GAP = 7 days;

    /// @notice Since when the vault is frozen; 0: it is not. There is no way back.
    uint40 public frozenAt;

    address public guardian;

    /// @notice Until when payments are stopped.
    uint40 public pausedUntil;

    /// @notice From when the guardian may pause again.
    uint40 public pauseAllowedAt;

    /// @notice Who has been offered to be the guardian.
    address public guardianOffered;

    event Paused(uint40 until);
    event Unpaused();
    event GuardianOffered(address indexed offered);
    event GuardianChanged(address indexed guardian);

    error NotGuardian();
    error NotOffered();
    error PauseTooLong();
    error PauseTooSoon();
    error IsPaused();
    error NotPaused();
    error IsFrozen();
    error NotFrozen();
    error BadGuardian();

    modifier onlyGuardian() {
        _checkGuardian();
        _;
    }

    modifier whenNotFrozen() {
        _checkNotFrozen();
        _;
    }

    modifier whenFrozen() {
        _checkFrozen();
        _;
    }

    constructor(address guardian_) {
        if (guardian_ == address(0)) revert BadGuardian();
        guardian = guardian_;
        emit GuardianChanged(guardian_);
    }

    /// @notice Offer the guardian's part to somebody, who must take it; zero takes the offer back.
    function offerGuardian(address offered) external onlyGuardian {
        guardianOffered = offered;
        emit GuardianOffered(offered);
    }

    /// @notice Take the guardian's part, if it was offered to the caller.
    function acceptGuardian() external {
        if (msg.sender != guardianOffered) revert NotOffered();
        guardian = msg.sender;
        guardianOffered = address(0);
        emit GuardianChanged(msg.sender);
    }

    /// @notice Stop deposits and payments for `duration` seconds at most.
    function pause(uint40 duration) external onlyGuardian whenNotFrozen {
        if (duration > PAUSE_MAX) revert PauseTooLong();
        if (block.timestamp < pauseAllowedAt) revert PauseTooSoon();
        pausedUntil = uint40(block.timestamp) + duration;
        pauseAllowedAt = pausedUntil + uint40(PAUSE_GAP);
        emit Paused(pausedUntil);
    }

    /// @notice End a pause early. The gap before the next one stays as long as it was.
    function unpause() external onlyGuardian {
        pausedUntil = 0;
        emit Unpaused();
    }

    /// @notice Return whether deposits and payments are stopped now.
    function paused() public view returns (bool) {
        return block.timestamp < pausedUntil;
    }

    function _checkNotPaused() internal view {
        if (paused()) revert IsPaused();
    }

    function _checkNotFrozen() internal view {
        if (frozenAt != 0) revert IsFrozen();
    }

    function _checkFrozen() internal view {
        if (frozenAt == 0) revert NotFrozen();
    }

    /// @dev End the replicas' and the guardian's part, for good.
    function _freeze() internal {
        frozenAt = uint40(block.timestamp);
        pausedUntil = 0;
    }

    function _checkGuardian() private view {
        if (msg.sender != guardian) revert NotGuardian();
    }
}
