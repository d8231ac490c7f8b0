"""The size of a record of each kind."""

from node.domain import limits, records

RECORD_SIZES: dict[int, int] = {
    records.VENUE: records.VENUE_LIMITS + 8 * limits.LIMIT_COUNT,
    records.TREASURY: records.TREASURY_SIZE,
    records.EVENT: records.EVENT_SIZE,
    records.MARKET: records.MARKET_SIZE,
    records.ACCOUNT: records.ACCOUNT_SIZE,
    records.POSITION: records.POSITION_SIZE,
    records.ORDER: records.ORDER_SIZE,
    records.KEY: records.KEY_SIZE,
    records.SESSION: records.SESSION_SIZE,
    records.WINDOW: records.STORED_SIZE,
    records.SWEEP: records.SWEEP_SIZE,
    records.TIMER: records.TIMER_SIZE,
    records.GROUP: records.GROUP_SIZE,
    records.SCHEDULE: records.SCHEDULE_SIZE,
    records.RULES: records.RULES_SIZE,
    records.WATCH: records.WATCH_SIZE,
    records.KINSHIP: records.KINSHIP_SIZE,
    records.WITHDRAWAL: records.WITHDRAWAL_SIZE,
    records.CONDUCT: records.CONDUCT_SIZE,
    records.AGENT: records.AGENT_SIZE,
    records.BOUNDS: records.BOUNDS_SIZE,
    records.STOP: records.STOP_SIZE,
    records.TIMES: records.TIMES_SIZE,
    records.PAUSE: records.PAUSE_SIZE,
    records.RESOLUTION: records.RESOLUTION_SIZE,
}
