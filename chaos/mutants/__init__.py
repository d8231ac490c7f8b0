"""Bugs planted on purpose, one at a time in a copy: what the simulation must be able to see."""
