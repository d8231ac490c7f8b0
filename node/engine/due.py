"""What is due: at the start of every group, what the log's time has reached happens by itself."""

from mypy_extensions import i64

from node.domain.limits import SWEEP_ITEMS_PER_GROUP
from node.engine.auction import call_on_time
from node.engine.dooming import let_deadline_pass
from node.engine.invariants import require
from node.engine.lifecycle import close_on_time, reopen
from node.engine.opening import open_on_time
from node.engine.removal import close_expired
from node.engine.resolving import final_on_time
from node.engine.state import State
from node.engine.sweeping import run_sweeps
from node.engine.timer import CALLING, CLOSING, DEADLINE, FINALITY, OPENING, REOPEN, Timer


def run_due(state: State) -> None:
    """Let expired orders go and timers happen, earliest first, within one group's budget each.

    What the budget leaves is for the next group; an order that has expired cannot trade meanwhile.
    """
    budget: i64 = state.limits[SWEEP_ITEMS_PER_GROUP]
    close_expired(state, budget)
    happened = False
    budget = state.limits[SWEEP_ITEMS_PER_GROUP]
    while budget > 0:
        timer = state.first_timer()
        if timer is None or timer.due_ns > state.stamp_ns:
            break
        state.drop_timer(timer)
        happen(state, timer)
        happened = True
        budget -= 1
    if happened:
        # What they began comes before the group's commands, as far as a budget goes.
        run_sweeps(state)


def happen(state: State, timer: Timer) -> None:
    """Do what a timer is for."""
    if timer.kind == DEADLINE:
        let_deadline_pass(state, timer.subject)
    elif timer.kind == OPENING:
        open_on_time(state, timer.subject)
    elif timer.kind == CLOSING:
        close_on_time(state, timer.subject)
    elif timer.kind == FINALITY:
        final_on_time(state, timer.subject)
    elif timer.kind == CALLING:
        call_on_time(state, timer.subject)
    else:
        require(timer.kind == REOPEN, "a timer of no known kind")
        reopen(state, timer.subject)
