"""Keys, and the sessions through which they send commands exactly once."""

from librt.strings import BytesWriter, write_i64_le
from librt.vecs import vec
from mypy_extensions import i64

from node.domain.records import PAGE_SHIFT, PAGE_SLOTS
from node.engine.fields import write_pair
from node.engine.pages import Page, Record


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
        self.page: Page | None = None

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes."""
        write_pair(out, self.number, self.role)
        write_pair(out, self.account, self.revoked)
        out.write(self.public_key)


class Session(Record):
    """The next sequence that will be executed, and the replies to the last `window` ones."""

    def __init__(self, number: i64, key: Key, window: i64) -> None:
        """Make a session that expects sequence 1 and remembers `window` replies."""
        self.number: i64 = number
        self.key: Key = key
        self.window: i64 = window
        self.next_sequence: i64 = 1
        self.last_index: i64 = 0
        # Four words a reply: code, log index, result, filled.
        self.replies: vec[i64] = vec[i64]([0] * (4 * window))
        self.reply_pages: list[Page] = []
        self.page: Page | None = None

    @property
    def key_number(self) -> int:
        """Return the number of the key that owns this session."""
        return self.key.number

    def encode(self, out: BytesWriter) -> None:
        """Append the record's bytes; the replies are records of their own."""
        write_pair(out, self.number, self.key.number)
        write_i64_le(out, self.window)
        write_i64_le(out, self.next_sequence)
        write_i64_le(out, self.last_index)


class ReplyPage(Page):
    """The stored replies of 64 neighbouring slots of one session's window."""

    def __init__(self, kind: i64, number: i64, session: Session, first_slot: i64) -> None:
        """Make the page of the slots from `first_slot` on."""
        super().__init__(kind, number)
        self.session: Session = session
        self.first_slot: i64 = first_slot
        self.dropped: bool = False

    def encode(self) -> bytes:
        """Return the slots' replies; b"" once the session is gone."""
        if self.dropped:
            return b""
        out = BytesWriter()
        session = self.session
        last = min(self.first_slot + PAGE_SLOTS, session.window)
        word = self.first_slot * 4
        while word < last * 4:
            write_i64_le(out, session.replies[word])
            word += 1
        return out.getvalue()


def reply_page_count(window: i64) -> i64:
    """Return how many pages a window of this many replies takes."""
    return (window + PAGE_SLOTS - 1) >> PAGE_SHIFT
