"""What a login signs.

One byte string that fits this cluster, node, connection and request, and no other.
"""

from typing import Final

LOGIN_DOMAIN: Final = b"quorumbook client login\x00"
LOGIN_STATEMENT_SIZE: Final = 120


def login_statement(
    cluster_id: bytes,
    node: int,
    nonce: bytes,
    version: int,
    purpose: int,
    session: int,
    window: int,
    public_key: bytes,
) -> bytes:
    """Return the bytes that the Ed25519 key `public_key` signs to log in.

    The domain (24 bytes), cluster id (16), node i32, version i16, purpose i16, session i32, window
    i32, the nonce of the node's CHALLENGE (32) and the public key (32): 120 bytes. A signature is
    good for one connection only, because the nonce is.
    """
    return b"".join(
        (
            LOGIN_DOMAIN,
            cluster_id,
            node.to_bytes(4, "little", signed=True),
            version.to_bytes(2, "little", signed=True),
            purpose.to_bytes(2, "little", signed=True),
            session.to_bytes(4, "little", signed=True),
            window.to_bytes(4, "little", signed=True),
            nonce,
            public_key,
        )
    )
