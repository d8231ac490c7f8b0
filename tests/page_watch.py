"""Watches that every page is touched before it changes, as a checkpoint at work needs it to be.

A record that changes first puts what comes later into a snapshot. Nobody sees that unless a
checkpoint is still being encoded at that very command, so here one is, in effect, at each.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from node.engine.pages import CLEAN, DIRTY, FROZEN, Page, PageTable

MOST_PAGES = 64
"""Every page is encoded twice: only venues that are small are watched."""


def pages_of(state: Any) -> list[Page]:
    """Return all pages of a state."""
    found: list[Page] = [state.venue_page, state.treasury_page]
    registers = state.registers
    parts = (state, state.orders, registers, registers.withdrawals, registers.order_groups)
    for part in (*parts, state.life_pages):
        for name in sorted(set(dir(part))):
            table = None if name.startswith("__") else getattr(part, name)
            if isinstance(table, PageTable):
                found.extend(page for _, page in sorted(table.by_number.items()))
    return found


@contextmanager
def touched_before_changed(state: Any) -> Iterator[None]:
    """Fail when what runs inside changes a page of `state` that it has not touched before.

    The pages are as dirty, clean and frozen afterwards as they would be without this.
    """
    pages = pages_of(state)
    if len(pages) > MOST_PAGES:
        yield
        return
    known = [(page, page.state, page.image, page.encode()) for page in pages]
    dirty, state.pages.dirty = state.pages.dirty, []
    for page in pages:
        page.state, page.image = FROZEN, None
    yield
    touched, late = state.pages.dirty, []
    for page, before, image, content in known:
        was_touched = page.state == DIRTY
        if content != (page.image if was_touched else page.encode()):
            late.append((page.kind, page.number))
        if before != FROZEN:
            page.image = image
        page.state = DIRTY if was_touched or before == DIRTY else before
    was_dirty = {id(page) for page, before, _, _ in known if before == DIRTY}
    state.pages.dirty = dirty + [page for page in touched if id(page) not in was_dirty]
    assert not late, f"pages (kind, number) that changed before they were touched: {late}"
    assert all(page.state in (CLEAN, DIRTY, FROZEN) for page in pages)
