"""One part alone."""
