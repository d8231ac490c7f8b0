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
SHELVES_PER_PAGE: Final = 64
"""Taking a shelf's digest into the root costs so much less than encoding a page."""


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

    def rehash(self, shelf: Shelf) -> None:
        """Bring a shelf up to date; one that has lost its last page goes."""
        if len(shelf.hashes) > 0:
            shelf.rehash()
        else:
            del self.shelves[page_key(shelf.kind, shelf.number)]

    def rehash_all(self) -> None:
        """Bring every shelf up to date, at once: for a tree that no venue waits for."""
        for shelf in list(self.shelves.values()):
            self.rehash(shelf)

    def digests(self) -> tuple[bytes, bytes]:
        """Return the (state, ledger) digests, at once; every shelf must be up to date."""
        root = Root(self)
        root.step(len(self.shelves))
        return root.state_digest, root.ledger_digest


class Root:
    """The two digests over all shelves, taken in slices."""

    def __init__(self, tree: StateTree) -> None:
        """Begin with the first shelf of `tree`, whose shelves must be up to date and stay so."""
        self.tree: StateTree = tree
        self.keys: list[bytes] = sorted(tree.shelves)
        self.hashed: i64 = 0
        self.state: blake3 = blake3(b"quorumbook state 1")
        self.ledger: blake3 = blake3(b"quorumbook ledger 1")
        self.state_digest: bytes = b""
        self.ledger_digest: bytes = b""

    def step(self, shelves: i64) -> bool:
        """Take in up to `shelves` shelves; return whether the digests are complete."""
        end = min(self.hashed + shelves, len(self.keys))
        while self.hashed < end:
            key = self.keys[self.hashed]
            shelf = self.tree.shelves[key]
            require(not shelf.changed, "a changed shelf was not hashed")
            self.state.update(key)
            self.state.update(shelf.digest)
            if shelf.kind in LEDGER_KINDS:
                self.ledger.update(key)
                self.ledger.update(shelf.digest)
            self.hashed += 1
        if self.hashed < len(self.keys):
            return False
        self.state_digest = self.state.digest()
        self.ledger_digest = self.ledger.digest()
        return True


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
        self.root: Root | None = None
        self.changes: list[tuple[bytes, bytes]] = []
        self.state_digest: bytes = b""
        self.ledger_digest: bytes = b""
        self.page_count: i64 = 0

    def step(self, pages: i64) -> bool:
        """Encode up to `pages` pages, or hash as many shelves; return whether nothing remains."""
        if self.state_digest != b"":
            return True
        left = pages
        while left > 0 and self.encoded < len(self.frozen):
            self.encode(self.frozen[self.encoded])
            self.encoded += 1
            left -= 1
        while left > 0 and self.rehashed < len(self.shelves):
            self.tree.rehash(self.shelves[self.rehashed])
            self.rehashed += 1
            left -= 1
        if left == 0:
            return False
        root = self.root
        if root is None:
            root = Root(self.tree)
            self.root = root
        return root.step(left * SHELVES_PER_PAGE) and self.finish(root)

    def finish(self, root: Root) -> bool:
        """Keep the digests and let the next checkpoint begin; return True."""
        self.frozen = []
        self.shelves = []
        self.encoded = 0
        self.rehashed = 0
        self.state_digest = root.state_digest
        self.ledger_digest = root.ledger_digest
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
