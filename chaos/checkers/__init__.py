"""Judges of what happened: each takes histories and logs, and says what is wrong and what it saw.

A checker that looked at nothing says so: it must not look like one that found nothing.
"""
