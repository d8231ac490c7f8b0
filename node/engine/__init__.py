"""The rules: a deterministic venue that applies groups of commands to books and a ledger."""
