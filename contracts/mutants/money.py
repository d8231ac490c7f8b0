"""Bugs in the ledger, pools, deposits and withdrawals."""

from typing import Final

from contracts.mutants.mutant import Mutant

MONEY: Final = (
    Mutant(
        "lane-neighbour", "an account's change reaches its neighbour's lane", "Ledger.sol",
        "and(xor(before, delta), 0xFFFFFFFFFFFFFFFF)", "xor(before, delta)", "Batches",
    ),
    Mutant(
        "lane-overflow", "a position may leave its 64 bits", "Ledger.sol",
        "if (delta != int64(delta)) revert Lanes.LaneOverflow(account);", "", "Batches",
    ),
    Mutant(
        "cash-below-zero", "a batch may take what is not there", "Ledger.sol",
        "if (book == CASH) revert CashBelowZero(account);\n                }",
        "}", "Batches",
    ),
    Mutant(
        "withdraw-below-zero", "a withdrawal may take what is not there", "Ledger.sol",
        "if (book == CASH && value < 0) revert CashBelowZero(account);", "", "Withdrawals",
    ),
    Mutant(
        "same-account-twice", "an account may stand twice in a section", "Ledger.sol",
        "if (account <= last || delta == 0)", "if (account < last || delta == 0)", "Batches",
    ),
    Mutant(
        "any-order", "accounts need not ascend", "Ledger.sol",
        "if (account <= last || delta == 0)", "if (account == 0 || delta == 0)", "Batches",
    ),
    Mutant(
        "no-change", "an account may stand in a section without a change", "Ledger.sol",
        "if (account <= last || delta == 0)", "if (account <= last)", "Batches",
    ),
    Mutant(
        "unknown-account", "a batch may pay accounts that nobody has", "Ledger.sol",
        "if (last > _totals.accounts) revert UnknownAccount(last);", "", "Batches",
    ),
    Mutant(
        "word-lost", "the last word of a section is not written", "Ledger.sol",
        "            if (last != 0) word.lanes = lanes;\n            if (last >",
        "            if (last >", "Batches",
    ),
    Mutant(
        "word-carried", "two words are taken for one", "Ledger.sol",
        "(account ^ last) > 3", "(account ^ last) > 7", "Batches",
    ),
    Mutant(
        "held-too-much", "deposits may overflow a lane", "Ledger.sol",
        "revert HeldTooMuch();\n        _totals.cash", "{}\n        _totals.cash", "Deposits",
    ),
    Mutant(
        "positions-unbalanced", "more may be long than short", "Pools.sol",
        "if (sum != sets) revert PositionsUnbalanced(market);", "", "Pools",
    ),
    Mutant(
        "sets-in-some-markets", "a set need not be in every market of its pool", "Pools.sol",
        "(count != state.count || count == 1 ||", "(count == 1 ||", "Pools",
    ),
    Mutant(
        "sets-of-one", "a single market may have sets", "Pools.sol",
        "(count != state.count || count == 1 ||", "(count != state.count ||", "Pools",
    ),
    Mutant(
        "sets-after-a-price", "sets may be made of an event that is settled in part", "Pools.sol",
        " || state.settled != 0)) revert BadSets(pool);", ")) revert BadSets(pool);", "Pools",
    ),
    Mutant(
        "free-sets", "a set locks nothing", "Pools.sol",
        "locked = sets;", "locked = 0;", "Pools",
    ),
    Mutant(
        "free-shorts", "a short locks nothing", "Pools.sol",
        "            locked += shorter;\n", "", "Pools",
    ),
    Mutant(
        "market-of-another-pool", "a pool may move another's markets", "Pools.sol",
        "if (market <= last || _markets[market].pool != pool) revert",
        "if (market <= last) revert", "Pools",
    ),
    Mutant(
        "trade-after-price", "positions move after the price is final", "Pools.sol",
        "if (_markets[market].settled) revert MarketSettled(market);", "", "Pools",
    ),
    Mutant(
        "price-twice", "a final price may change", "Pools.sol",
        "if (market.settled) revert MarketSettled(id);", "", "Pools",
    ),
    Mutant(
        "price-above-one", "a price may be more than 1 USDC", "Pools.sol",
        "if (sum > PRICE_SCALE || (isLast", "if ((isLast", "Pools",
    ),
    Mutant(
        "prices-below-one", "an event's prices may come to less than 1 USDC", "Pools.sol",
        " || (isLast && pool.count > 1 && sum != PRICE_SCALE)", "", "Pools",
    ),
    Mutant(
        "redeem-early", "a position is paid before its price is final", "Pools.sol",
        "if (!market.settled) revert MarketNotSettled(id);", "", "Pools",
    ),
    Mutant(
        "redeem-twice", "a position is paid again and again", "Pools.sol",
        "        _change(id, account, -lots);\n", "", "Pools",
    ),
    Mutant(
        "short-paid-as-long", "NO is paid the price of YES", "Pools.sol",
        "uint256(-lots) * (PRICE_SCALE - market.price)", "uint256(-lots) * market.price", "Pools",
    ),
    Mutant(
        "pool-keeps-payout", "a pool's collateral stays when it pays", "Pools.sol",
        "        _pools[market.pool].locked -= uint64(amount);\n", "", "Pools",
    ),
    Mutant(
        "pool-again", "a market may begin twice", "Pools.sol",
        "if (market <= last || _markets[market].pool != 0) revert", "if (market <= last) revert",
        "Pools",
    ),
    Mutant(
        "date-never", "a pool's date may never come", "Pools.sol",
        "if (resolveBy > latest) resolveBy = latest;", "", "Pools",
    ),
    Mutant(
        "payout-twice-in-a-list", "payouts need not ascend", "Pools.sol",
        "if (account <= last) revert NotCanonical(account);", "", "Pools",
    ),
    Mutant(
        "permit-blocks", "a permit that was spent first blocks its deposit", "Deposits.sol",
        "try usdc.permit(msg.sender, address(this), amount, deadline, v, r, s) {} catch {}",
        "usdc.permit(msg.sender, address(this), amount, deadline, v, r, s);", "Deposits",
    ),
    Mutant(
        "deposit-to-leaver", "a grain keeps an account from having left", "Deposits.sol",
        "if (_accounts[account].exitAt != 0) revert IsLeaving();", "", "Deposits",
    ),
    Mutant(
        "deposit-of-crumbs", "any amount makes work for the replicas", "Deposits.sol",
        "amount == 0 || amount < leastAmount", "amount == 0", "Deposits",
    ),
    Mutant(
        "deposit-unheard", "a deposit is no entry of the inbox", "Deposits.sol",
        "        _enter(Kind.DEPOSITED, account, owner, bytes32(uint256(amount)));\n", "", "Deposits",
    ),
    Mutant(
        "claim-early", "a withdrawal is paid at once", "Withdrawals.sol",
        "if (block.timestamp < withdrawal.payableAt) revert TooEarly();", "", "Withdrawals",
    ),
    Mutant(
        "claim-paused", "a pause stops no payment", "Withdrawals.sol",
        "            _checkNotPaused();\n", "", "Withdrawals",
    ),
    Mutant(
        "claim-twice", "a withdrawal is paid again and again", "Withdrawals.sol",
        "        withdrawal.amount -= amount;\n", "", "Withdrawals",
    ),
    Mutant(
        "claim-to-sender", "whoever claims is paid", "Withdrawals.sol",
        "usdc.safeTransfer(owner, amount);", "usdc.safeTransfer(msg.sender, amount);",
        "Withdrawals",
    ),
    Mutant(
        "no-cap", "all may leave in a day", "Withdrawals.sol",
        "            amount = _useCap(amount);\n", "", "Withdrawals",
    ),
    Mutant(
        "cap-all-or-nothing", "what exceeds the cap can never be paid", "Withdrawals.sol",
        "if (amount > cap - used) amount = uint64(cap - used);",
        "if (amount > cap - used) revert CapReached();", "Withdrawals",
    ),
    Mutant(
        "cap-without-floor", "the last users wait forever", "Withdrawals.sol",
        "if (cap < leastCap) cap = leastCap;", "", "Withdrawals",
    ),
    Mutant(
        "cap-never-refills", "the cap is used up for good", "Withdrawals.sol",
        "used = _used > refilled ? _used - refilled : 0;", "used = _used;", "Withdrawals",
    ),
    Mutant(
        "return-unpaused", "the guardian may take back at any time", "Withdrawals.sol",
        "if (!paused()) revert NotPaused();", "", "Withdrawals",
    ),
    Mutant(
        "return-by-anyone", "anyone may take a withdrawal back", "Withdrawals.sol",
        "function returnWithdrawal(uint64 id) external onlyGuardian {",
        "function returnWithdrawal(uint64 id) external {", "Withdrawals",
    ),
    Mutant(
        "return-unheard", "the replicas do not hear of what was returned", "Withdrawals.sol",
        "        _enter(Kind.RETURNED, account, _accounts[account].owner, "
        "bytes32(uint256(amount)));\n", "", "Withdrawals",
    ),
    Mutant(
        "exit-served-by-crumbs", "any withdrawal serves an exit", "Withdrawals.sol",
        "_accounts[account].exitAt != 0 && _lane(CASH, account) == 0",
        "_accounts[account].exitAt != 0", "Exits",
    ),
)  # fmt: skip
