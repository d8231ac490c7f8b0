"""The contracts, as forge sees them: needs node and npm, and is skipped by name without."""
