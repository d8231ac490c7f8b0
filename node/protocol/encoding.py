"""Session-layer messages into bytes, as `node.protocol.messages` lays them out."""

from librt.strings import BytesWriter, write_i16_le, write_i32_le, write_i64_le
from mypy_extensions import i16, i32, i64

from node.domain import commands
from node.domain.identifiers import NONCE_SIZE, PUBLIC_KEY_SIZE, SIGNATURE_SIZE
from node.protocol import messages


def _begin(length: i64, kind: i64) -> BytesWriter:
    out = BytesWriter()
    write_i32_le(out, i32(length))
    write_i16_le(out, i16(kind))
    write_i16_le(out, 0)
    return out


def encode_challenge(
    oldest_version: int,
    newest_version: int,
    node: int,
    cluster_id: bytes,
    nonce: bytes,
    login_ms: int,
    heartbeat_ms: int,
) -> bytes:
    """Return a CHALLENGE: what this node speaks, who it is, and the nonce to sign."""
    assert len(cluster_id) == 16
    assert len(nonce) == NONCE_SIZE
    out = _begin(messages.CHALLENGE_SIZE, messages.CHALLENGE)
    write_i16_le(out, oldest_version)
    write_i16_le(out, newest_version)
    write_i32_le(out, node)
    out.write(cluster_id)
    out.write(nonce)
    write_i32_le(out, login_ms)
    write_i32_le(out, heartbeat_ms)
    return out.getvalue()


def encode_login(
    version: int, purpose: int, session: int, window: int, public_key: bytes, signature: bytes
) -> bytes:
    """Return a LOGIN; `session` 0 asks for a new one."""
    assert len(public_key) == PUBLIC_KEY_SIZE
    assert len(signature) == SIGNATURE_SIZE
    out = _begin(messages.LOGIN_SIZE, messages.LOGIN)
    write_i16_le(out, version)
    write_i16_le(out, purpose)
    write_i32_le(out, session)
    write_i32_le(out, window)
    write_i32_le(out, 0)
    out.write(public_key)
    out.write(signature)
    return out.getvalue()


def encode_login_accepted(
    session: int,
    window: int,
    next_sequence: int,
    log_index: int,
    key: int,
    account: int,
    role: int,
    purpose: int,
    version: int,
) -> bytes:
    """Return a LOGIN_ACCEPTED."""
    out = _begin(messages.ACCEPTED_SIZE, messages.LOGIN_ACCEPTED)
    write_i32_le(out, session)
    write_i32_le(out, window)
    write_i64_le(out, next_sequence)
    write_i64_le(out, log_index)
    write_i32_le(out, key)
    write_i32_le(out, account)
    write_i16_le(out, role)
    write_i16_le(out, purpose)
    write_i16_le(out, version)
    write_i16_le(out, 0)
    return out.getvalue()


def encode_refused(
    reason: int, closing: bool, resend_from: int = 0, detail: int = 0, request: int = 0
) -> bytes:
    """Return a REFUSED."""
    out = _begin(messages.REFUSED_SIZE, messages.REFUSED)
    write_i32_le(out, reason)
    write_i32_le(out, 1 if closing else 0)
    write_i64_le(out, resend_from)
    write_i64_le(out, detail)
    write_i64_le(out, request)
    return out.getvalue()


def encode_redirect(node: int, host: str, port: int) -> bytes:
    """Return a REDIRECT to a leader, or with 0, "" and 0 to nowhere yet."""
    raw = host.encode()
    assert len(raw) <= messages.REDIRECT_HOST_SIZE
    out = _begin(messages.REDIRECT_SIZE, messages.REDIRECT)
    write_i32_le(out, node)
    write_i32_le(out, port)
    out.write(raw + bytes(messages.REDIRECT_HOST_SIZE - len(raw)))
    return out.getvalue()


def encode_heartbeat(log_index: int = 0, stamp_ns: int = 0) -> bytes:
    """Return a HEARTBEAT; a client's carries zeros."""
    out = _begin(messages.HEARTBEAT_SIZE, messages.HEARTBEAT)
    write_i64_le(out, log_index)
    write_i64_le(out, stamp_ns)
    return out.getvalue()


def encode_logout() -> bytes:
    """Return a LOGOUT."""
    return _begin(messages.LOGOUT_SIZE, messages.LOGOUT).getvalue()


def encode_subscribe(
    request: int, feed: int, stream: int, options: int, from_log_index: int, from_sequence: int
) -> bytes:
    """Return a SUBSCRIBE; both `from_` values 0 mean from now."""
    out = _begin(messages.SUBSCRIBE_SIZE, messages.SUBSCRIBE)
    write_i64_le(out, request)
    write_i16_le(out, feed)
    write_i16_le(out, options)
    write_i32_le(out, stream)
    write_i64_le(out, from_log_index)
    write_i64_le(out, from_sequence)
    return out.getvalue()


def encode_unsubscribe(request: int, feed: int, stream: int) -> bytes:
    """Return an UNSUBSCRIBE."""
    return _unsubscribe(messages.UNSUBSCRIBE, request, feed, stream)


def encode_unsubscribed(request: int, feed: int, stream: int) -> bytes:
    """Return an UNSUBSCRIBED: nothing of that stream follows it."""
    return _unsubscribe(messages.UNSUBSCRIBED, request, feed, stream)


def _unsubscribe(kind: i64, request: int, feed: int, stream: int) -> bytes:
    out = _begin(messages.UNSUBSCRIBE_SIZE, kind)
    write_i64_le(out, request)
    write_i16_le(out, feed)
    write_i16_le(out, 0)
    write_i32_le(out, stream)
    return out.getvalue()


def encode_subscribed(
    request: int, feed: int, stream: int, options: int, log_index: int, stream_sequence: int
) -> bytes:
    """Return a SUBSCRIBED: the events after `stream_sequence` follow."""
    out = _begin(messages.SUBSCRIBED_SIZE, messages.SUBSCRIBED)
    write_i64_le(out, request)
    write_i16_le(out, feed)
    write_i16_le(out, options)
    write_i32_le(out, stream)
    write_i64_le(out, log_index)
    write_i64_le(out, stream_sequence)
    return out.getvalue()


def encode_depth_levels(
    request: int, market: int, more: bool, log_index: int, stream_sequence: int, levels: bytes
) -> bytes:
    """Return a DEPTH_LEVELS with `levels` (records.LEVEL, concatenated).

    `more` when another one continues it.
    """
    out = _begin(messages.LEVELS_RECORDS + len(levels), messages.DEPTH_LEVELS)
    write_i64_le(out, request)
    write_i32_le(out, market)
    write_i32_le(out, 1 if more else 0)
    write_i64_le(out, log_index)
    write_i64_le(out, stream_sequence)
    write_i64_le(out, len(levels) // 16)  # Whole levels: nothing to round.
    out.write(levels)
    return out.getvalue()


def encode_query(
    request: int,
    subject: int,
    number: int,
    identifier: int,
    options: int,
    cursor: int,
    at_least_index: int,
) -> bytes:
    """Return a QUERY."""
    out = _begin(messages.QUERY_SIZE, messages.QUERY)
    write_i64_le(out, request)
    write_i16_le(out, subject)
    write_i16_le(out, options)
    write_i32_le(out, number)
    write_i64_le(out, identifier)
    write_i64_le(out, cursor)
    write_i64_le(out, at_least_index)
    return out.getvalue()


def encode_preview(request: int, options: int, at_least_index: int, order: bytes) -> bytes:
    """Return a PREVIEW of the order in a PLACE_WITH_TERMS frame."""
    assert len(order) == commands.TERMS_SIZE
    out = _begin(messages.PREVIEW_SIZE, messages.PREVIEW)
    write_i64_le(out, request)
    write_i64_le(out, options)
    write_i64_le(out, at_least_index)
    out.write(order)
    return out.getvalue()


def encode_answer(
    request: int,
    subject: int,
    options: int,
    record_size: int,
    log_index: int,
    cursor: int,
    count: int,
    records: bytes,
) -> bytes:
    """Return an ANSWER with `count` records, true at `log_index`.

    `cursor` 0 when nothing is left.
    """
    out = _begin(messages.ANSWER_RECORDS + len(records), messages.ANSWER)
    write_i64_le(out, request)
    write_i16_le(out, subject)
    write_i16_le(out, options)
    write_i32_le(out, record_size)
    write_i64_le(out, log_index)
    write_i64_le(out, cursor)
    write_i64_le(out, count)
    out.write(records)
    return out.getvalue()


def encode_session_open(public_key: bytes, window: int, nonce: bytes, signature: bytes) -> bytes:
    """Return the log record by which a leader opens a session.

    Session 0, and a SESSION_OPEN with sequence 0.
    """
    out = BytesWriter()
    write_i64_le(out, 0)
    write_i32_le(out, commands.SESSION_OPEN_SIZE)
    write_i16_le(out, commands.SESSION_OPEN)
    write_i16_le(out, 0)
    write_i64_le(out, 0)
    out.write(public_key)
    write_i64_le(out, window)
    out.write(nonce)
    out.write(signature)
    return out.getvalue()


def encode_session_gone(session: i64, next_sequence: i64) -> bytes:
    """Return the log record by which a leader says that a session's client is gone."""
    out = BytesWriter()
    write_i64_le(out, 0)
    write_i32_le(out, commands.SESSION_GONE_SIZE)
    write_i16_le(out, commands.SESSION_GONE)
    write_i16_le(out, 0)
    write_i64_le(out, 0)
    write_i64_le(out, session)
    write_i64_le(out, next_sequence)
    return out.getvalue()
