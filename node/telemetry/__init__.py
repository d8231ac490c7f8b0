"""Eyes.

Counters that cost the hot path an addition, the logs, and the page that shows both to operators.
"""
