"""The layout of a reply: what one command came to, once, for ever.

`length i32, type i16, flags i16, session i32, code i32, sequence i64, log_index i64, result i64,
filled i64`. `result` is the number or id that the command made (order id, account, market, event,
key); `filled` is the lots that filled on arrival, or the orders that a cancel-all closed at once.
"""

from typing import Final

REPLY: Final = 128
REPLY_SESSION: Final = 8
REPLY_CODE: Final = 12
REPLY_SEQUENCE: Final = 16
REPLY_LOG_INDEX: Final = 24
REPLY_RESULT: Final = 32
REPLY_FILLED: Final = 40
REPLY_SIZE: Final = 48
