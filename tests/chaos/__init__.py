"""Promises of `chaos`: simulation, faults, checkers and reports."""
