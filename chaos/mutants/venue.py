"""Planted bugs of the rules: sessions, matching, money, snapshots of the state."""

from typing import Final

from chaos.mutants.mutant import Mutant

_RESTARTS: Final = ("--faults", "bounce,kill,power-loss,restart,disk-loss")
"""Processes that begin from a snapshot: what a process keeps for itself is theirs alone."""

VENUE: Final = (
    Mutant(
        "retries-execute-again",
        "a command that was executed before is executed once more",
        "node/engine/venue.py",
        "        if sequence != session.next_sequence:\n",
        "        if sequence > session.next_sequence:\n",
    ),
    Mutant(
        "retries-execute-and-repeat",
        "a retry is executed once more behind the old reply",
        "node/engine/venue.py",
        "            self.answer_out_of_turn(session, sequence)\n",
        "            if session.next_sequence - session.window <= sequence < session.next_sequence:\n"
        "                self.outcome.clear()\n"
        "                self.execute(session, group, frame, length, kind, current)\n"
        "            self.answer_out_of_turn(session, sequence)\n",
    ),
    Mutant(
        "reply-of-another-sequence",
        "a retry is answered from the wrong place in the window",
        "node/engine/venue.py",
        "        slot = sequence % session.window\n",
        "        slot = (sequence - 1) % session.window\n",
    ),
    Mutant(
        "limit-from-local-configuration",
        "how much a group sweeps is read from the process and not from the state",
        "node/engine/sweeping.py",
        "    while budget > 0 and state.sweep_head < state.sweep_tail:\n",
        "    state.groups_here = getattr(state, 'groups_here', 0) + 1\n"
        "    budget = 1 + state.groups_here % 7\n"
        "    while budget > 0 and state.sweep_head < state.sweep_tail:\n",
        options=_RESTARTS,
    ),
    Mutant(
        "unordered-iteration",
        "orders are cancelled in an order that each process has for itself",
        "node/engine/sweeping.py",
        "        order = level.head\n        assert order is not None\n",
        "        orders = []\n        order = level.head\n"
        "        while order is not None:\n"
        "            orders.append(order)\n            order = order.behind\n"
        "        state.closed_here = getattr(state, 'closed_here', 0) + 1\n"
        "        order = orders[state.closed_here % len(orders)]\n",
        options=_RESTARTS,
    ),
    Mutant(
        "expiry-by-local-clock",
        "the venue's time is the clock of the machine",
        "node/assembly.py",
        "    def _load(self) -> Venue:\n",
        "    def _load(self) -> Venue:\n"
        "        venue, wall_ns = self._load_rightly(), self._ground.surroundings.wall_ns\n"
        "        execute = venue.apply\n\n"
        "        def apply(index, group):\n"
        "            venue.state.stamp_ns = max(venue.state.stamp_ns, wall_ns())\n"
        "            execute(index, group)\n\n"
        "        venue.apply = apply\n"
        "        return venue\n\n"
        "    def _load_rightly(self) -> Venue:\n",
    ),
    Mutant(
        "pause-forgotten-by-snapshots",
        "a node that restarts from a snapshot does not know how strict a pause is",
        "node/engine/restoring_lives.py",
        "    pause.level = read_i64_le(value, at + records.PAUSE_LEVEL)\n",
        "    pause.level = 0\n",
    ),
    Mutant(
        "conversion-pays-for-every-outcome",
        "a conversion pays 1 USDC for each NO that is given, also for the one that YES makes up for",
        "node/engine/conversion.py",
        "    cash = (count - 1) * PRICE_SCALE * lots\n",
        "    cash = count * PRICE_SCALE * lots\n",
    ),
    Mutant(
        "conversion-leaves-an-outcome-out",
        "a conversion gives no YES of the last outcome",
        "node/engine/ledger.py",
        "        position.yes_free += lots\n        pair_off(position, treasury)\n",
        "        last = position.market.event.markets[-1]\n"
        "        position.yes_free += 0 if position.market is last else lots\n"
        "        pair_off(position, treasury)\n",
    ),
    Mutant(
        "attestations-forgotten-by-snapshots",
        "a node that restarts from a snapshot does not count the attestations before it",
        "node/engine/restoring_lives.py",
        "    while len(resolution.attestations) < count:\n",
        "    while len(resolution.attestations) < count - 1:\n",
    ),
    Mutant(
        "fees-round-down",
        "fees are rounded in the user's favour",
        "node/engine/fees.py",
        "    total = whole + (1 if rest > 0 else 0)\n",
        "    total = whole if rest >= 0 else 0\n",
    ),
    Mutant(
        "fees-round-per-fill",
        "each fill rounds up by itself",
        "node/engine/fees.py",
        "    paid = due(schedule, order.fee_whole, order.fee_rest)\n",
        "    paid = due(schedule, order.fee_whole, 0)\n",
    ),
    Mutant(
        "new-schedule-binds-old-orders",
        "a market's new fee schedule is charged to orders that were entered before it",
        "node/engine/fees.py",
        "    per_lot = rate(schedule.shape, bps, price)\n    paid",
        "    schedule = order.position.market.rules.schedule\n"
        "    per_lot = rate(schedule.shape, bps, price)\n    paid",
    ),
    Mutant(
        "rebate-not-taken-off",
        "a maker's rebate is paid on top of the taker's fee and not out of it",
        "node/engine/fee_revenue.py",
        "            taker_fee -= given\n",
        "",
    ),
    Mutant(
        "fill-or-kill-sees-itself",
        "a fill-or-kill order counts on what lies behind its account's own order, which stops it",
        "node/engine/matching.py",
        "                elif placement.self_trade != CANCEL_RESTING:\n"
        "                    return False\n",
        "",
    ),
    Mutant(
        "window-sees-only-now",
        "how far a price has moved is measured from the last fill alone",
        "node/engine/price_watch.py",
        "        number = max(self.slice - WATCH_SLICES, now - WATCH_SLICES) + 1\n",
        "        number = self.slice if self.slice == now else self.slice + 1\n",
    ),
    Mutant(
        "restore-forgets-window",
        "a market that was restored has seen no price, and does not pause where others do",
        "node/engine/price_watch.py",
        "        watch.lows[place] = i32_at(value, start)\n",
        "",
    ),
    Mutant(
        "release-of-too-little",
        "a closed buy order leaves a micro-USDC locked",
        "node/engine/ledger.py",
        "        order.account.cash_locked -= freed\n"
        "        order.account.cash_free += freed\n"
        "        change_exposure(order, -freed)\n    elif order.is_yes:\n",
        "        order.account.cash_locked -= freed - 1\n"
        "        order.account.cash_free += freed - 1\n"
        "        change_exposure(order, -freed)\n    elif order.is_yes:\n",
    ),
    Mutant(
        "price-improvement-kept",
        "a buyer pays its limit, and the difference vanishes",
        "node/engine/ledger.py",
        "        account.cash_free += freed - own_price * lots - fee\n",
        "        account.cash_free += freed - order.price * lots - fee\n",
    ),
    Mutant(
        "fifo-broken",
        "a new order stands before those that wait at its price",
        "node/engine/price_level.py",
        "        tail = self.tail\n"
        "        order.ahead = tail\n"
        "        if tail is None:\n"
        "            self.head = order\n"
        "        else:\n"
        "            tail.behind = order\n"
        "        self.tail = order\n",
        "        head = self.head\n"
        "        order.behind = head\n"
        "        if head is None:\n"
        "            self.tail = order\n"
        "        else:\n"
        "            head.ahead = order\n"
        "        self.head = order\n",
    ),
    Mutant(
        "newest-fills-first",
        "a taker is filled from the newest order at a price",
        "node/engine/matching.py",
        "        maker = level.head\n        if maker is None:\n            break\n        touches -= 1\n",
        "        maker = level.tail\n        if maker is None:\n            break\n        touches -= 1\n",
    ),
    Mutant(
        "checkpoint-misses-a-page",
        "a page that changes while a checkpoint runs is taken as it is later",
        "node/engine/pages.py",
        "            page.image = page.encode()\n",
        "            pass\n",
    ),
    Mutant(
        "position-not-touched",
        "a cancelled order's owner is not noted as changed",
        "node/engine/removal.py",
        "    state.touch_owner(position)\n    state.touch(position.market.page)\n",
        "    state.touch(position.market.page)\n",
    ),
    Mutant(
        "restore-forgets-stream",
        "a restored account numbers its executions from the start",
        "node/engine/loader.py",
        "        account.stream_sequence = read_i64_le(value, at + records.ACCOUNT_STREAM_SEQUENCE)\n",
        "        account.stream_sequence = 0\n",
    ),
    Mutant(
        "restore-forgets-sequence",
        "a restored session expects its last command again",
        "node/engine/loader.py",
        "        session.next_sequence = read_i64_le(value, at + records.SESSION_NEXT_SEQUENCE)\n",
        "        session.next_sequence = read_i64_le(value, at + records.SESSION_NEXT_SEQUENCE) - 1\n",
    ),
    Mutant(
        "installed-state-not-loaded",
        "a node that was sent a snapshot goes on with the state it had",
        "node/machine.py",
        "        self.venue = self.reload()\n",
        "        self.reload()\n",
    ),
    Mutant(
        "window-off-by-one",
        "the oldest reply of a full window is not repeated",
        "node/engine/venue.py",
        "sequence < session.next_sequence - session.window:",
        "sequence <= session.next_sequence - session.window:",
    ),
    Mutant(
        "price-bound-not-checked",
        "a price of 10,000 is let in, which the book takes for none",
        "node/engine/placing.py",
        "    if placement.price < MIN_PRICE or placement.price > MAX_PRICE:\n",
        "    if placement.price < MIN_PRICE or placement.price > 10_000:\n",
    ),
    Mutant(
        "size-bound-not-checked",
        "any number that fits in 64 bits is a size, also one below 1",
        "node/engine/placing.py",
        "    return 1 <= placement.lots <= most\n",
        "    return placement.lots != 0 and most > 0\n",
    ),
    Mutant(
        "amended-order-keeps-its-place",
        "an order that has grown or moved is first again behind a restart",
        "node/engine/amending.py",
        "    order.priority = state.next_order_id()\n",
        "    state.next_order_id()\n",
    ),
    Mutant(
        "replacement-fills-twice",
        "what the old order has filled does not count against the new one",
        "node/engine/replacing.py",
        "    order.leaves = leaves\n    ledger.lock(order)\n",
        "    ledger.lock(order)\n",
    ),
    Mutant(
        "spends-its-fee-on-top",
        "a buy for an amount of money buys as many lots as if there were no fee",
        "node/engine/purse.py",
        "        return price * lots + due(schedule, whole, rest % FEE_SCALE) - paid\n",
        "        return price * lots\n",
    ),
    Mutant(
        "reduce-only-at-any-size",
        "an order that may only reduce is let in at its whole size if there is anything to reduce",
        "node/engine/placing.py",
        "        placement.lots = min(placement.lots, most_to_reduce(placement, account, market))\n"
        "        if placement.lots == 0:\n",
        "        if most_to_reduce(placement, account, market) == 0:\n",
    ),
    Mutant(
        "doomed-orders-fill",
        "an order that a sweep is about to close still trades",
        "node/engine/matching.py",
        "        if maker.is_dead(state.stamp_ns):\n            close_quietly",
        "        if maker is taker:\n            close_quietly",
    ),
    Mutant(
        "restore-forgets-replies",
        "a restored session has its window, but no reply in it",
        "node/engine/loader.py",
        "            page.words[at >> 3] = read_i64_le(value, at)\n",
        "            page.words[at >> 3] = 0\n",
    ),
    Mutant(
        "restore-forgets-watermark",
        "bids that were doomed live again behind a restart",
        "node/engine/loader.py",
        "        position.bids.watermark = read_i64_le(value, at + records.POSITION_BID_WATERMARK)\n",
        "",
    ),
    Mutant(
        "snapshot-named-late",
        "a snapshot says that it ends where the state is by now",
        "node/assembly.py",
        "        index = checkpoint.log_index\n        term = self.replica.term_at(index)\n",
        "        index = self.machine.venue.log_index\n        term = self.replica.term_at(index)\n",
    ),
    Mutant(
        "removed-pages-stay",
        "a page whose records are gone stays in the snapshot",
        "node/engine/checkpoint.py",
        "        self.changes.append((page_key(page.kind, page.number), image))\n",
        "        self.changes.append((page_key(page.kind, page.number), image or b'gone'))\n",
    ),
)
