"""The layout of a log entry: a group of commands under one stamp.

`length i32` (header and records), `rules_version i16`, `shard i16`, `stamp_ns i64`, `count i32`,
`trailer_length i32`; then the records; then a trailer (trace context) that no digest covers.
"""

from typing import Final

GROUP_LENGTH: Final = 0
GROUP_RULES_VERSION: Final = 4
GROUP_SHARD: Final = 6
GROUP_STAMP: Final = 8
GROUP_COUNT: Final = 16
GROUP_TRAILER_LENGTH: Final = 20
GROUP_HEADER_SIZE: Final = 24

RULES_VERSION: Final = 1
MAX_GROUP_SIZE: Final = 8 << 20
