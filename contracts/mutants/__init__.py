"""Bugs planted on purpose, one at a time in a copy: what the contract tests must be able to see."""
