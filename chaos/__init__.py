"""Faults on purpose. Empty so far: the seeded simulator, real faults and checkers will live here.

What exists today is the kill test of the processes, in tests/integration.
"""
