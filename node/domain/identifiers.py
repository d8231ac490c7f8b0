"""Identifiers: 64-bit ids that carry a shard, dense 32-bit numbers, and their sizes on the wire.

An order id or fill id is `shard << 48 | sequence`. Sequences start at 1 and only rise, per shard;
shards are 0..32,767 so that an id stays positive in a signed 64-bit field. Accounts, markets,
events, keys and sessions have dense numbers that start at 1; 0 means "none" or "all".
"""

from typing import Final

SEQUENCE_BITS: Final = 48
SEQUENCE_MASK: Final = (1 << SEQUENCE_BITS) - 1
MAX_SHARD: Final = 0x7FFF

ADDRESS_SIZE: Final = 20
PUBLIC_KEY_SIZE: Final = 32
SIGNATURE_SIZE: Final = 64
EVIDENCE_SIZE: Final = 32
"""A hash of what shows an outcome: which hash of what, the resolvers agree among themselves."""
NONCE_SIZE: Final = 32
NAME_SIZE: Final = 64
OUTCOMES_SIZE: Final = 128
"""One bit an outcome of an event, by its ordinal, lowest first."""
DIGEST_SIZE: Final = 32
