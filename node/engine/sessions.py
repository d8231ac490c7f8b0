"""Opening sessions and remembering replies: exactly once, in replicated state."""

from librt.strings import read_i64_le
from mypy_extensions import i64

from node.domain import commands as layout
from node.domain import events, limits, records
from node.domain.codes import Code
from node.domain.identifiers import NONCE_SIZE, PUBLIC_KEY_SIZE
from node.engine.dooming import give_up
from node.engine.pages import DIRTY
from node.engine.session import Key, ReplyPage, Session
from node.engine.state import State


def open_session(state: State, frame: bytes, at: i64) -> Code:
    """Open a session for a key that has proven itself to the leader.

    The answer is an event with the nonce.
    """
    start = at + layout.SESSION_OPEN_PUBLIC_KEY
    key = state.keys_by_public.get(frame[start : start + PUBLIC_KEY_SIZE])
    window = read_i64_le(frame, at + layout.SESSION_OPEN_WINDOW) & 0xFFFFFFFF
    start = at + layout.SESSION_OPEN_NONCE
    nonce = frame[start : start + NONCE_SIZE]
    code = check_session(state, key, window)
    if key is None or code is not Code.OK:
        state.writer.session_answer(events.SESSION_REFUSED, 0, code.value, 0, nonce)
        return code
    most: i64 = state.limits[limits.SESSIONS_PER_KEY]
    while len(key.sessions) >= most:
        evict(state, least_recently_used(key))
    state.session_count += 1
    session = Session(state.session_count, key, window)
    session.last_index = state.log_index
    add_session(state, session)
    state.writer.session_answer(events.SESSION_OPENED, session.number, 0, window, nonce)
    return Code.OK


def check_session(state: State, key: Key | None, window: i64) -> Code:
    """Check that the key may have another session with this window."""
    if key is None:
        return Code.UNKNOWN_KEY
    if key.revoked != 0:
        return Code.KEY_REVOKED
    most: i64 = state.limits[limits.SESSIONS]
    most_of_key: i64 = state.limits[limits.SESSIONS_PER_KEY]
    if len(state.sessions) >= most and len(key.sessions) < most_of_key:
        return Code.TOO_MANY_SESSIONS
    widest: i64 = state.limits[limits.REPLIES_PER_SESSION]
    if window < 16 or window > widest:
        return Code.WINDOW_OUT_OF_RANGE
    return Code.OK


def add_session(state: State, session: Session) -> None:
    """Index a session."""
    state.sessions[session.number] = session
    session.key.sessions.append(session)
    session.page = state.session_pages.put(session.number, session)
    watch(state, session, session.on_disconnect)


def watch(state: State, session: Session, scope: i64) -> None:
    """Let a session give up the orders of its key or its account (or 0: none) with its client."""
    session.on_disconnect = scope
    if scope != 0:
        state.watched_sessions[session.number] = session
    elif session.number in state.watched_sessions:
        del state.watched_sessions[session.number]


def reply_page(state: State, session: Session, slot: i64) -> ReplyPage:
    """Return the page of a slot of the session's window, about to change; make it if need be."""
    place = slot >> records.PAGE_SHIFT
    page = session.reply_pages[place]
    if page is None:
        page = ReplyPage(session, place)
        session.reply_pages[place] = page
    if page.state != DIRTY:
        state.pages.touch(page)
    return page


def least_recently_used(key: Key) -> Session:
    """Return the key's session whose last command is oldest, and of equals the first opened."""
    oldest = key.sessions[0]
    for session in key.sessions:
        if session.last_index < oldest.last_index:
            oldest = session
    return oldest


def evict(state: State, session: Session) -> None:
    """Forget a session and its replies; what its client's going gives up goes with it."""
    state.touch(session.page)
    give_up(state, session)
    watch(state, session, 0)
    state.session_pages.drop(session.number)
    del state.sessions[session.number]
    session.key.sessions.remove(session)
    for page in session.reply_pages:
        if page is not None:
            if page.state != DIRTY:
                state.pages.touch(page)
            page.forget()
    state.writer.session_evicted(session.number)


def remember(state: State, session: Session, code: i64, result: i64, filled: i64) -> None:
    """Store the reply to the session's next sequence and advance it."""
    slot = session.next_sequence % session.window
    words = reply_page(state, session, slot).words
    state.touch(session.page)
    word = (slot & records.PAGE_MASK) * 4
    words[word] = code
    words[word + 1] = state.log_index
    words[word + 2] = result
    words[word + 3] = filled
    session.last_index = state.log_index
    session.next_sequence += 1
