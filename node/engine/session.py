"""Keys, and the sessions through which they send commands exactly once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from librt.strings import BytesWriter, write_i64_le
from librt.vecs import vec
from mypy_extensions import i64

from node.domain.records import PAGE_SHIFT, PAGE_SLOTS, WINDOW, WINDOW_PAGE_SHIFT
from node.engine.agent import Agent
from node.engine.conduct import Conduct
from node.engine.fields import write_pair
from node.engine.pages import Page, Record
from node.engine.stop import Stop

if TYPE_CHECKING:
    from node.engine.order import Order


class Key(Record):
    """A public key and what it may do; account is 0 unless it is a trader's."""

    def __init__(self, number: i64, role: i64, account: i64, public_key: bytes) -> None:
        """Make a key without sessions."""
        self.number: i64 = number
        self.role: i64 = role
        self.account: i64 = account
        self.public_key: bytes = public_key
        self.revoked: i64 = 0
        self.sessions: list[Session] = []
        # The orders that it has placed and that rest, oldest first, and the cash they have locked.
        self.first_order: Order | None = None
        self.last_order: Order | None = None
        self.exposure: i64 = 0
        # None unless it is an agent's, was ever doomed or paced, is stopped.
        self.agent: Agent | None = None
        self.conduct: Conduct | None = None
        self.stop: Stop | None = None
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.number, self.role)
        write_pair(out, self.account, self.revoked)
        out.write(self.public_key)

    def append(self, order: Order) -> None:
        """Put the newest resting order at the end of the key's list."""
        last = self.last_order
        order.older_of_key = last
        if last is None:
            self.first_order = order
        else:
            last.newer_of_key = order
        self.last_order = order

    def unlink(self, order: Order) -> None:
        """Take a resting order out of the key's list, leaving no reference cycle behind."""
        older = order.older_of_key
        newer = order.newer_of_key
        if older is None:
            self.first_order = newer
        else:
            older.newer_of_key = newer
        if newer is None:
            self.last_order = older
        else:
            newer.older_of_key = older
        order.older_of_key = None
        order.newer_of_key = None


class Session(Record):
    """The next sequence that will be executed, and the replies to the last `window` ones."""

    def __init__(self, number: i64, key: Key, window: i64) -> None:
        """Make a session that expects sequence 1 and remembers `window` replies."""
        self.number: i64 = number
        self.key: Key = key
        self.window: i64 = window
        self.next_sequence: i64 = 1
        self.last_index: i64 = 0
        # Whose orders go when the client does: a scope, 0 for nobody's.
        self.on_disconnect: i64 = 0
        # Made as they are first written, so that an unused window costs next to nothing.
        self.reply_pages: list[ReplyPage | None] = [None] * reply_page_count(window)
        self.page: Page | None = None

    @property
    def key_number(self) -> int:
        """Return the number of the key that owns this session."""
        return self.key.number

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes; the replies are records of their own."""
        write_pair(out, self.number, self.key.number)
        write_pair(out, self.window, self.on_disconnect)
        write_i64_le(out, self.next_sequence)
        write_i64_le(out, self.last_index)


class ReplyPage(Page):
    """The stored replies of 64 neighbouring slots of one session's window, fewer in the last."""

    def __init__(self, session: Session, place: i64) -> None:
        """Make the window's page at `place`, full of zeros."""
        super().__init__(WINDOW, (session.number << WINDOW_PAGE_SHIFT) | place)
        self.slots: i64 = min(PAGE_SLOTS, session.window - place * PAGE_SLOTS)
        # Four words a reply: code, log index, result, filled.
        self.words: vec[i64] = vec[i64]([0] * (4 * self.slots))

    def forget(self) -> None:
        """Give up the replies, whose session is gone."""
        self.slots = 0
        self.words = vec[i64]([0])

    def encode(self) -> bytes:
        """Return the slots' replies; b"" once the session is gone."""
        out = BytesWriter()
        word: i64 = 0
        while word < 4 * self.slots:
            write_i64_le(out, self.words[word])
            word += 1
        return out.getvalue()


def reply_page_count(window: i64) -> i64:
    """Return how many pages a window of this many replies takes."""
    return (window + PAGE_SLOTS - 1) >> PAGE_SHIFT
