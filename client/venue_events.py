"""What happens at the venue as a whole: events of its own stream."""

from __future__ import annotations

from typing import NamedTuple

from client.event_header import Header


class AccountOpened(NamedTuple):
    """There is an account; `mode` is whether it nets its pairs, `address` who owns it."""

    header: Header
    account: int
    mode: int
    address: bytes


class SubaccountOpened(NamedTuple):
    """The account that was opened just before is the owner's `ordinal`th."""

    header: Header
    account: int
    owner: int
    ordinal: int


class EventCreated(NamedTuple):
    """There is an event; `exclusive` is its kind (`EventKind`)."""

    header: Header
    event: int
    exclusive: int
    name: bytes


class KeyGranted(NamedTuple):
    """A key may act in a role, for an account if it is a trader's."""

    header: Header
    key: int
    role: int
    account: int
    public_key: bytes


class KeyRevoked(NamedTuple):
    """A key may do nothing from now on."""

    header: Header
    key: int
    role: int
    account: int
    public_key: bytes


class Configured(NamedTuple):
    """A limit of the venue has another value."""

    header: Header
    limit: int
    value: int


class SessionOpened(NamedTuple):
    """The request with this nonce has opened a session."""

    header: Header
    session: int
    code: int
    window: int
    nonce: bytes


class SessionRefused(NamedTuple):
    """The request with this nonce has opened none, for the reason `code`."""

    header: Header
    session: int
    code: int
    window: int
    nonce: bytes


class SessionEvicted(NamedTuple):
    """A session made room for another: its outcomes can no longer be asked for."""

    header: Header
    session: int


class CheckpointTaken(NamedTuple):
    """The state at this index is a checkpoint."""

    header: Header


class PauseSet(NamedTuple):
    """A scope takes commands as strictly as `level` from now on; 0 ends its pause."""

    header: Header
    scope: int
    subject: int
    level: int


class Stopped(NamedTuple):
    """Key `by` has stopped the subject of a scope."""

    header: Header
    scope: int
    subject: int
    reason: int
    by: int
    reference: int


class StopLifted(NamedTuple):
    """The subject of a scope may go on."""

    header: Header
    scope: int
    subject: int
    reason: int
    by: int
    reference: int


class AgentChanged(NamedTuple):
    """What an agent's key may do from now on; amounts in micro-USDC, 0 is no bound."""

    header: Header
    key: int
    account: int
    order_value: int
    spend: int
    exposure: int
    expiry_ns: int


class BoundsChanged(NamedTuple):
    """An account's or a market's bounds are others from now on."""

    header: Header
    subject: int
    scope: int
    reduce_only: int
