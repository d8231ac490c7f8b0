"""Checkpoints: the changed pages at one index, in slices, and the digests of the whole state.

The state digest is a hash of shelf hashes, a shelf being 256 neighbouring pages of one kind; only
shelves with a changed page are hashed again. The ledger digest is the same over the kinds that hold
money and orders.
"""

from typing import Final

from blake3 import blake3
from mypy_extensions import i64

from node.domain.records import LEDGER_KINDS
from node.engine.invariants import require
from node.engine.pages import CLEAN, FROZEN, Page
from node.engine.state import State

SHELF_SHIFT: Final = 8


def page_key(kind: int, number: int) -> bytes:
    """Return the 10 bytes that name a page; they sort by kind, then number."""
    return kind.to_bytes(2, "big") + number.to_bytes(8, "big")


class Shelf:
    """The hashes of up to 256 neighbouring pages of one kind."""

    def __init__(self, kind: i64, number: i64) -> None:
        """Make an empty shelf."""
        self.kind: i64 = kind
        self.number: i64 = number
        self.hashes: dict[int, bytes] = {}
        self.digest: bytes = b""
        self.changed: bool = False

    def rehash(self) -> None:
        """Bring the shelf's digest up to date with its pages."""
        hasher = blake3(page_key(self.kind, self.number))
        for number in sorted(self.hashes):
            hasher.update(number.to_bytes(8, "big"))
            hasher.update(self.hashes[number])
        self.digest = hasher.digest()
        self.changed = False


class StateTree:
    """The hashes of all pages that hold anything, as of the last completed checkpoint."""

    def __init__(self) -> None:
        """Make the tree of an empty state."""
        self.shelves: dict[bytes, Shelf] = {}
        self.page_count: i64 = 0
        # Whether a checkpoint is still at work: until it is complete, another would mix two
        # indexes.
        self.busy: bool = False

    def set(self, kind: i64, number: i64, value: bytes) -> Shelf:
        """Record a page's new bytes, b"" for one that is gone; return its shelf."""
        shelf_number = number >> SHELF_SHIFT
        key = page_key(kind, shelf_number)
        shelf = self.shelves.get(key)
        if shelf is None:
            shelf = Shelf(kind, shelf_number)
            self.shelves[key] = shelf
        shelf.changed = True
        if len(value) > 0:
            if number not in shelf.hashes:
                self.page_count += 1
            shelf.hashes[number] = blake3(value).digest()
        elif number in shelf.hashes:
            self.page_count -= 1
            del shelf.hashes[number]
        return shelf

    def rehash(self) -> None:
        """Bring every shelf up to date, at once: for a tree that no venue waits for."""
        for shelf in self.shelves.values():
            shelf.rehash()

    def digests(self) -> tuple[bytes, bytes]:
        """Return the (state, ledger) digests; every shelf must be up to date."""
        state = blake3(b"quorumbook state 1")
        ledger = blake3(b"quorumbook ledger 1")
        for key in sorted(self.shelves):
            shelf = self.shelves[key]
            require(not shelf.changed, "a changed shelf was not hashed")
            if len(shelf.hashes) == 0:
                continue
            state.update(key)
            state.update(shelf.digest)
            if shelf.kind in LEDGER_KINDS:
                ledger.update(key)
                ledger.update(shelf.digest)
        return state.digest(), ledger.digest()


class Checkpoint:
    """The state at one index.

    Call `step` until it returns True; then `changes` and the digests are complete.
    """

    def __init__(self, state: State, tree: StateTree) -> None:
        """Freeze the dirty pages of `state`.

        The cost does not depend on how many records there are.
        """
        require(not tree.busy, "a checkpoint began before the last one was complete")
        tree.busy = True
        self.tree: StateTree = tree
        self.log_index: i64 = state.log_index
        self.stamp_ns: i64 = state.stamp_ns
        self.chain_digest: bytes = state.chain_digest
        self.frozen: list[Page] = state.pages.freeze()
        self.encoded: i64 = 0
        self.shelves: list[Shelf] = []
        self.rehashed: i64 = 0
        self.changes: list[tuple[bytes, bytes]] = []
        self.state_digest: bytes = b""
        self.ledger_digest: bytes = b""
        self.page_count: i64 = 0

    def step(self, pages: i64) -> bool:
        """Encode up to `pages` pages, or hash as many shelves; return whether nothing remains."""
        left = pages
        while left > 0 and self.encoded < len(self.frozen):
            self.encode(self.frozen[self.encoded])
            self.encoded += 1
            left -= 1
        while left > 0 and self.rehashed < len(self.shelves):
            self.shelves[self.rehashed].rehash()
            self.rehashed += 1
            left -= 1
        if left == 0 or self.state_digest != b"":
            return self.state_digest != b""
        self.frozen = []
        self.state_digest, self.ledger_digest = self.tree.digests()
        self.page_count = self.tree.page_count
        self.tree.busy = False
        return True

    def encode(self, page: Page) -> None:
        """Take the page's bytes as of the freeze: its image if it has changed since."""
        image = page.image
        if image is None:
            image = page.encode()
        page.image = None
        if page.state == FROZEN:
            page.state = CLEAN
        self.changes.append((page_key(page.kind, page.number), image))
        known = self.tree.shelves.get(page_key(page.kind, page.number >> SHELF_SHIFT))
        fresh = known is None or not known.changed
        shelf = self.tree.set(page.kind, page.number, image)
        if fresh:
            self.shelves.append(shelf)
