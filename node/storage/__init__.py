"""The disk: snapshots and their probe, the event journal, backups, the data directory."""
