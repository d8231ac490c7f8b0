"""The venue: the only mutator.

It applies groups of commands and writes replies, events and the chain digest.
"""

from blake3 import blake3
from librt.strings import BytesWriter, read_i64_le, write_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import groups, limits, terms
from node.domain import replies as reply_layout
from node.domain.codes import Code
from node.domain.genesis import Genesis
from node.domain.records import PAGE_MASK, PAGE_SHIFT
from node.domain.units import LATEST_STAMP
from node.engine import administration, cancelling, mass_cancel, ownership, quoting
from node.engine.account import Account
from node.engine.admission import admit, needs_admission
from node.engine.amending import amend
from node.engine.checkpoint import Checkpoint, StateTree
from node.engine.due import run_due
from node.engine.fields import write_pair
from node.engine.grouping import lead_group
from node.engine.invariants import require
from node.engine.lives import is_of_lives, lead_life
from node.engine.market import Event, Market
from node.engine.outcome import Outcome
from node.engine.placement import Placement
from node.engine.placing import place
from node.engine.presence import note_gone
from node.engine.preview import Preview, preview
from node.engine.replacing import replace
from node.engine.resolving import judge
from node.engine.rule_setting import set_rules
from node.engine.session import Key, Session
from node.engine.sessions import open_session, remember
from node.engine.share_commands import exchange_shares
from node.engine.state import State
from node.engine.sweeping import run_sweeps


class Venue:
    """One shard's state machine. `apply` is deterministic, bounded, and never raises for bad input.

    After `apply`, `replies` holds a 48-byte frame for each record of the group, in order, and
    `events` the frames of everything that happened; `digest` is the chain digest at `log_index`.
    """

    def __init__(self, genesis: Genesis, *, pristine: bool = True) -> None:
        """Make the venue before its first log entry; the operator of the genesis holds key 1.

        With `pristine` false even that key is missing: `restore` adds what a snapshot holds.
        """
        root = blake3(genesis.encode()).digest()
        self.genesis: Genesis = genesis
        self.state: State = State(genesis, root)
        self.tree: StateTree = StateTree()
        self.outcome: Outcome = Outcome()
        self.placement: Placement = Placement()
        self.out: BytesWriter = BytesWriter()
        self.replies: bytes = b""
        self.events: bytes = b""
        self.checkpoint_due: bool = False
        self.rejections: list[int] = [0] * 512
        if pristine:
            administration.grant(self.state, terms.OPERATOR, 0, genesis.operator_public_key)
            # The genesis key is no news: the venue's stream starts with the log.
            self.state.writer.venue_sequence = 0

    @property
    def digest(self) -> bytes:
        """Return the chain digest: blake3 of the previous one, the group and its events."""
        return self.state.chain_digest

    @property
    def log_index(self) -> int:
        """Return the index of the last entry applied."""
        return self.state.log_index

    @property
    def stamp_ns(self) -> int:
        """Return the venue's time: the last group's stamp, in ns since 1970."""
        return self.state.stamp_ns

    @property
    def work_pending(self) -> bool:
        """Return whether sweeps wait: then an empty group must follow even when no orders flow."""
        return self.state.sweep_head < self.state.sweep_tail

    @property
    def next_due_ns(self) -> i64:
        """Return the log time at which something happens by itself, 0 for never.

        A group must reach it even when no orders flow.
        """
        return self.state.next_due_ns()

    def apply(self, index: i64, group: bytes) -> None:
        """Execute the log entry at `index`.

        Raises InvariantError when the venue itself is wrong.
        """
        state = self.state
        writer = state.writer
        require(index > state.log_index, "log entries must be applied in order")
        self.checkpoint_due = False
        state.touch(state.venue_page)
        end: i64 = len(group)
        current = False
        if end >= groups.GROUP_HEADER_SIZE:
            word = read_i64_le(group, groups.GROUP_LENGTH)
            length = word & 0xFFFFFFFF
            if groups.GROUP_HEADER_SIZE <= length <= end:
                end = length
            # No span of the rules behind the latest stamp leaves 64 bits.
            stamp = min(read_i64_le(group, groups.GROUP_STAMP), LATEST_STAMP)
            if stamp > state.stamp_ns:
                state.stamp_ns = stamp
            versioned = (word >> 32) & 0xFFFF == state.rules_version
            current = versioned and (word >> 48) & 0xFFFF == state.shard
        state.log_index = index
        self.out.truncate(0)
        writer.begin(index, state.stamp_ns)
        run_due(state)
        self.apply_records(group, end, current)
        run_sweeps(state)
        self.mark_checkpoint(end)
        self.replies = self.out.getvalue()
        self.events = writer.out.getvalue()
        chain = blake3(state.chain_digest)
        # Neither the trailer nor its length, which ends the header, is part of what was agreed.
        chain.update(group[: groups.GROUP_TRAILER_LENGTH])
        chain.update(group[groups.GROUP_HEADER_SIZE : end])
        chain.update(self.events)
        state.chain_digest = chain.digest()

    def mark_checkpoint(self, group_size: i64) -> None:
        """Count the log's bytes and call for a checkpoint when enough of them have passed."""
        state = self.state
        state.checkpoint_bytes += group_size
        interval: i64 = state.limits[limits.CHECKPOINT_BYTES]
        if state.checkpoint_bytes >= interval:
            self.checkpoint_due = True
        if self.checkpoint_due:
            state.checkpoint_bytes = 0
            state.writer.checkpoint_taken()

    def apply_records(self, group: bytes, end: i64, current: bool) -> None:
        """Execute the records up to `end`; one that does not fit ends the group."""
        state = self.state
        at: i64 = groups.GROUP_HEADER_SIZE
        least: i64 = layout.RECORD_FRAME + layout.COMMAND_BODY
        while at + least <= end:
            number = read_i64_le(group, at) & 0xFFFFFFFF
            frame = at + layout.RECORD_FRAME
            word = read_i64_le(group, frame)
            length = word & 0xFFFFFFFF
            if length < layout.COMMAND_BODY or frame + length > end:
                return
            state.commands += 1
            # Flags are 0 in this version: with any set, the type is unknown.
            kind = word >> 32
            if number == 0:
                self.apply_internal(group, frame, length, kind, current)
            else:
                self.apply_sequenced(number, group, frame, length, kind, current)
            at = frame + length

    def apply_internal(
        self,
        group: bytes,
        frame: i64,
        length: i64,
        kind: i64,
        current: bool,
    ) -> None:
        """Execute a record of the leader's own: a session opens, or its client is gone."""
        if not current:
            code = Code.RULES_VERSION_MISMATCH
        elif kind != layout.SESSION_OPEN and kind != layout.SESSION_GONE:
            code = Code.UNKNOWN_COMMAND
        elif length != layout.COMMAND_SIZES[kind]:
            code = Code.MALFORMED
        elif kind == layout.SESSION_OPEN:
            code = open_session(self.state, group, frame)
        else:
            code = note_gone(self.state, group, frame)
        self.write_reply(0, code.value, 0, self.state.log_index, 0, 0)

    def apply_sequenced(
        self,
        number: i64,
        group: bytes,
        frame: i64,
        length: i64,
        kind: i64,
        current: bool,
    ) -> None:
        """Execute a client's record if it is the session's next.

        Repeat the old reply if it was executed before.
        """
        state = self.state
        sequence = read_i64_le(group, frame + layout.COMMAND_SEQUENCE)
        session = state.sessions.get(number)
        if session is None:
            self.refuse(number, Code.UNKNOWN_SESSION, sequence)
            return
        if sequence != session.next_sequence:
            self.answer_out_of_turn(session, sequence)
            return
        outcome = self.outcome
        outcome.clear()
        code = self.execute(session, group, frame, length, kind, current)
        number_of_code: i64 = 0
        if code is not Code.OK:
            number_of_code = code.value
            self.rejections[number_of_code] += 1
        remember(state, session, number_of_code, outcome.result, outcome.filled)
        self.write_reply(
            number, number_of_code, sequence, state.log_index, outcome.result, outcome.filled
        )

    def answer_out_of_turn(self, session: Session, sequence: i64) -> None:
        """Reply to a sequence that is not the session's next.

        With the stored reply, or why there is none.
        """
        if sequence > session.next_sequence:
            self.refuse(session.number, Code.SEQUENCE_GAP, sequence)
        elif sequence < 1 or sequence < session.next_sequence - session.window:
            self.refuse(session.number, Code.REPLY_FORGOTTEN, sequence)
        else:
            self.repeat_reply(session, sequence)

    def repeat_reply(self, session: Session, sequence: i64) -> None:
        """Reply once more as when the sequence was executed."""
        slot = sequence % session.window
        page = session.reply_pages[slot >> PAGE_SHIFT]
        require(page is not None, "an executed sequence has no stored reply")
        assert page is not None
        words = page.words
        word = (slot & PAGE_MASK) * 4
        self.write_reply(
            session.number,
            words[word],
            sequence,
            words[word + 1],
            words[word + 2],
            words[word + 3],
        )

    def execute(
        self,
        session: Session,
        group: bytes,
        frame: i64,
        length: i64,
        kind: i64,
        current: bool,
    ) -> Code:
        """Check a record's form, and execute it."""
        if not current:
            return Code.RULES_VERSION_MISMATCH
        expected = layout.COMMAND_SIZES.get(kind)
        if expected is None or kind > layout.MAX_CLIENT_COMMAND:
            return Code.UNKNOWN_COMMAND
        if length != expected:
            return Code.MALFORMED
        key = session.key
        if key.revoked != 0:
            return Code.KEY_REVOKED
        if kind == layout.ATTEST or kind == layout.DISPUTE:
            return judge(self.state, kind, key, group, frame)
        if key.role == terms.RESOLVER:
            return Code.NOT_PERMITTED
        if kind < layout.ACCOUNT_OPEN:
            return self.act(kind, session, group, frame)
        return self.administer(kind, key, group, frame)

    def act(self, kind: i64, session: Session, group: bytes, frame: i64) -> Code:
        """Execute a command for an account, if its sender may act for it now."""
        state = self.state
        outcome = self.outcome
        key = session.key
        account = read_i64_le(group, frame + layout.ACCOUNT) & 0xFFFFFFFF
        if account != key.account and not ownership.acts_for(state, key, account):
            return Code.NOT_PERMITTED
        if needs_admission(state, key):
            # Whose money it is comes before how fast; that an agent moves none is said by `admit`.
            moves = kind == layout.TRANSFER and key.agent is None
            if moves and not ownership.may_receive(state, key, group, frame):
                return Code.NOT_PERMITTED
            items = quoting.legs_of(group, frame) if kind == layout.QUOTE else 1
            code = admit(state, key, kind, items, account, outcome)
            if code is not Code.OK:
                return code
        if ownership.is_owners(kind):
            return ownership.execute_for_owner(state, kind, session, group, frame, outcome)
        return self.trade(kind, key, group, frame)

    def administer(self, kind: i64, key: Key, group: bytes, frame: i64) -> Code:
        """Check that an operator speaks, and hand its command to its handler."""
        state = self.state
        outcome = self.outcome
        if key.role != terms.OPERATOR:
            return Code.NOT_PERMITTED
        if kind >= layout.WITHDRAW_CONFIRM:
            return ownership.execute_for_operator(state, kind, group, frame, outcome)
        if is_of_lives(kind):
            return lead_life(state, kind, group, frame, outcome)
        if layout.SCHEDULE_CREATE <= kind <= layout.LAST_RULE_COMMAND:
            return set_rules(state, kind, group, frame, outcome)
        if kind != layout.CHECKPOINT:
            return administration.execute(state, kind, group, frame, outcome)
        self.checkpoint_due = True
        outcome.result = state.log_index
        return Code.OK

    def trade(self, kind: i64, key: Key, group: bytes, frame: i64) -> Code:
        """Execute an order command that `key` has sent."""
        state = self.state
        outcome = self.outcome
        placement = self.placement
        placement.placer = key
        if kind == layout.PLACE:
            placement.read(group, frame)
            return place(state, placement, outcome)
        if kind == layout.PLACE_WITH_TERMS:
            placement.read_terms(group, frame)
            return place(state, placement, outcome)
        if kind == layout.AMEND:
            return amend(state, placement, group, frame, outcome)
        if kind == layout.REPLACE:
            return replace(state, placement, group, frame, outcome)
        if kind == layout.QUOTE:
            return quoting.quote(state, key, group, frame, outcome)
        if kind == layout.REDUCE:
            return cancelling.reduce(state, group, frame, outcome)
        if kind == layout.CANCEL:
            return cancelling.cancel(state, group, frame, outcome)
        if kind == layout.CANCEL_ALL:
            return mass_cancel.cancel_all(state, group, frame, outcome)
        if layout.ORDER_GROUP_SET <= kind <= layout.ORDER_GROUP_TRIGGER:
            return lead_group(state, kind, group, frame, outcome)
        return exchange_shares(state, kind, key, group, frame, outcome)

    def refuse(self, session: i64, code: Code, sequence: i64) -> None:
        """Reply with a refusal that consumes no sequence and is not remembered."""
        self.rejections[code.value] += 1
        self.write_reply(session, code.value, sequence, self.state.log_index, 0, 0)

    def write_reply(
        self, session: i64, code: i64, sequence: i64, log_index: i64, result: i64, filled: i64
    ) -> None:
        """Append a reply frame."""
        out = self.out
        write_i64_le(out, reply_layout.REPLY_SIZE | (reply_layout.REPLY << 32))
        write_pair(out, session & 0x7FFFFFFF, code)
        write_i64_le(out, sequence)
        write_i64_le(out, log_index)
        write_i64_le(out, result)
        write_i64_le(out, filled)

    def freeze(self) -> Checkpoint:
        """Return a checkpoint of the state as it is now; it is worked off while `apply` goes on."""
        return Checkpoint(self.state, self.tree)

    # Reads, for answers to queries.

    def preview(self, frame: bytes, at: i64, key: i64) -> Preview:
        """Return what the PLACE_WITH_TERMS at `at` would come to if `key` sent it now.

        Nothing changes. Whose orders the key may send is for the caller to know.
        """
        placement = Placement()
        placement.read_terms(frame, at)
        placer = self.state.keys[key]
        assert placer is not None
        placement.placer = placer
        return preview(self.state, placement, placer)

    def session(self, number: i64) -> Session | None:
        """Return a session, or None."""
        return self.state.sessions.get(number)

    def key_by_public(self, public_key: bytes) -> Key | None:
        """Return the key with these 32 bytes, or None."""
        return self.state.keys_by_public.get(public_key)

    def account(self, number: i64) -> Account | None:
        """Return an account, or None."""
        return self.state.account(number)

    def market(self, number: i64) -> Market | None:
        """Return a market, or None."""
        return self.state.market(number)

    def event(self, number: i64) -> Event | None:
        """Return an event, or None."""
        return self.state.event(number)
