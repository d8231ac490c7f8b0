"""Bugs in batches, quorum, keys, guardian, inbox and the ways out."""

from typing import Final

from contracts.mutants.mutant import Mutant

CONTROL: Final = (
    Mutant(
        "any-signer", "anybody's signature counts", "Quorum.sol",
        "if (signer <= last || keySetOf[signer] != set) revert BadQuorum();",
        "if (signer <= last) revert BadQuorum();", "Batches",
    ),
    Mutant(
        "one-signs-twice", "one replica's signature counts twice", "Quorum.sol",
        "if (signer <= last || keySetOf[signer] != set)",
        "if (signer < last || keySetOf[signer] != set)", "Batches",
    ),
    Mutant(
        "fewer-sign", "fewer signatures than a quorum are enough", "Quorum.sol",
        "uint256 count = threshold;", "uint256 count = signatures.length / _SIGNATURE_SIZE;",
        "Batches",
    ),
    Mutant(
        "longer-signatures", "what follows the signatures is not looked at", "Quorum.sol",
        "if (signatures.length != count * _SIGNATURE_SIZE)",
        "if (signatures.length < count * _SIGNATURE_SIZE)", "Batches",
    ),
    Mutant(
        "half-is-enough", "half of the signers are a quorum", "Quorum.sol",
        "if (2 * uint256(threshold_) <= signers.length)",
        "if (2 * uint256(threshold_) < signers.length)", "Keys",
    ),
    Mutant(
        "signer-twice", "a signer may stand twice in a set of keys", "Quorum.sol",
        "if (signers[i] <= last) revert BadKeys();", "if (signers[i] < last) revert BadKeys();",
        "Keys",
    ),
    Mutant(
        "old-keys-sign", "keys that were replaced still sign", "Quorum.sol",
        "keySetOf[signer] != set)", "keySetOf[signer] == 0)", "Keys",
    ),
    Mutant(
        "payload-unsigned", "the payload is not signed", "Batches.sol",
        "abi.encode(BATCH_TYPEHASH, header, keccak256(payload))",
        "abi.encode(BATCH_TYPEHASH, header, payload.length)", "Batches",
    ),
    Mutant(
        "replay", "a batch settles again", "Batches.sol",
        "if (header.sequence != now_.sequence + 1)", "if (header.sequence > now_.sequence + 1)",
        "Batches",
    ),
    Mutant(
        "skip", "a batch may be left out", "Batches.sol",
        "if (header.sequence != now_.sequence + 1)", "if (header.sequence <= now_.sequence)",
        "Batches",
    ),
    Mutant(
        "fork", "a batch need not follow the one before", "Batches.sol",
        "if (header.previous != lastBatch) revert BadPrevious();", "", "Batches",
    ),
    Mutant(
        "log-stands-still", "two batches may be cut at one index", "Batches.sol",
        "if (header.logIndex <= now_.logIndex)", "if (header.logIndex < now_.logIndex)", "Batches",
    ),
    Mutant(
        "cursor-back", "entries of the inbox may be consumed again", "Batches.sol",
        "header.inboxCursor < now_.inboxCursor || ", "", "Batches",
    ),
    Mutant(
        "cursor-ahead", "entries may be consumed that do not exist", "Batches.sol",
        " || header.inboxCursor > now_.inboxCount", "", "Batches",
    ),
    Mutant(
        "other-history", "a batch settles on a chain with other deposits", "Batches.sol",
        "if (header.inboxHash != inboxHash[header.inboxCursor]) revert BadInbox();", "", "Batches",
    ),
    Mutant(
        "trailing", "anything may follow a payload", "Batches.sol",
        "if (offset != end) revert Trailing();", "if (offset > end) revert Trailing();", "Batches",
    ),
    Mutant(
        "cut-short", "a payload may end early", "Batches.sol",
        "if (offset != end) revert Trailing();", "if (offset < end) revert Trailing();", "Batches",
    ),
    Mutant(
        "money-from-nothing", "a batch may make money", "Batches.sol",
        "if (cash + locked != 0)", "if (cash + locked < 0)", "Batches",
    ),
    Mutant(
        "money-to-nothing", "a batch may lose money", "Batches.sol",
        "if (cash + locked != 0)", "if (cash + locked > 0)", "Batches",
    ),
    Mutant(
        "queued-unsubtracted", "what is queued still counts as cash", "Batches.sol",
        " + gain - int256(queued));", " + gain);", "Withdrawals",
    ),
    Mutant(
        "batch-when-frozen", "batches settle once frozen", "Batches.sol",
        "        whenNotFrozen\n    {", "    {", "Batches",
    ),
    Mutant(
        "inbox-unchained", "an entry's hash does not cover those before it", "Inbox.sol",
        "keccak256(abi.encode(previous, index,", "keccak256(abi.encode(bytes32(0), index,",
        "Deposits",
    ),
    Mutant(
        "exit-by-anyone-early", "the vault freezes while an exit has time left", "Exits.sol",
        "if (block.timestamp < since + EXIT_DELAY) revert TooEarly();", "", "Exits",
    ),
    Mutant(
        "freeze-without-exit", "the vault freezes though nobody asked", "Exits.sol",
        "if (since == 0) revert NoExit();", "", "Exits",
    ),
    Mutant(
        "freeze-keeps-pause", "a pause outlives the freeze", "Guardian.sol",
        "        frozenAt = uint40(block.timestamp);\n        pausedUntil = 0;\n",
        "        frozenAt = uint40(block.timestamp);\n", "Exits",
    ),
    Mutant(
        "escape-before-freeze", "anyone takes cash behind the replicas' backs", "Exits.sol",
        "external nonReentrant whenFrozen returns", "external nonReentrant returns", "Exits",
    ),
    Mutant(
        "escape-twice", "cash is paid again and again", "Exits.sol",
        "        _change(CASH, account, -int256(uint256(amount)));\n", "", "Exits",
    ),
    Mutant(
        "escape-to-sender", "whoever calls is paid", "Exits.sol",
        "usdc.safeTransfer(owner, amount);", "usdc.safeTransfer(msg.sender, amount);", "Exits",
    ),
    Mutant(
        "capped-escape", "queued withdrawals stay capped once frozen", "Withdrawals.sol",
        "if (frozenAt == 0) {", "if (id != 0) {", "Exits",
    ),
    Mutant(
        "even-too-soon", "an open market is split before anybody could settle it", "Exits.sol",
        "if (block.timestamp < since + EVEN_DELAY) revert TooEarly();", "", "Exits",
    ),
    Mutant(
        "even-before-quorum", "after a late freeze a quorum has no time", "Exits.sol",
        "pool.resolveBy > frozenAt ? pool.resolveBy : frozenAt", "pool.resolveBy", "Exits",
    ),
    Mutant(
        "even-remainder", "an event's even prices do not come to 1 USDC", "Exits.sol",
        "if (extra != 0) --extra;", "extra = 0;", "Exits",
    ),
    Mutant(
        "prices-by-anyone", "once frozen anyone names prices", "Exits.sol",
        "        _checkQuorum(pricesDigest(prices), signatures);\n", "", "Exits",
    ),
    Mutant(
        "rotate-early", "new keys come without delay", "KeyRotation.sol",
        "if (block.timestamp < rotation.readyAt) revert RotationTooEarly();", "", "Keys",
    ),
    Mutant(
        "rotation-by-anyone", "anyone proposes keys", "KeyRotation.sol",
        "        _checkQuorum(rotationDigest(number, threshold_, signers), signatures);\n", "",
        "Keys",
    ),
    Mutant(
        "veto-by-anyone", "anyone vetoes", "KeyRotation.sol",
        "function vetoRotation() external onlyGuardian {", "function vetoRotation() external {",
        "Keys",
    ),
    Mutant(
        "rotation-replayed", "what was vetoed is proposed again", "KeyRotation.sol",
        "uint64 number = ++rotations;", "uint64 number = 1;", "Keys",
    ),
    Mutant(
        "pause-forever", "a pause has no bound", "Guardian.sol",
        "if (duration > PAUSE_MAX) revert PauseTooLong();", "", "Guardian",
    ),
    Mutant(
        "pause-renewed", "a pause follows a pause", "Guardian.sol",
        "if (block.timestamp < pauseAllowedAt) revert PauseTooSoon();", "", "Guardian",
    ),
    Mutant(
        "guardian-taken", "anyone becomes the guardian", "Guardian.sol",
        "if (msg.sender != guardianOffered) revert NotOffered();", "", "Guardian",
    ),
)  # fmt: skip
