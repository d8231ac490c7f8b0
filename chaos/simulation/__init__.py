"""Whole clusters in one process from one seed.

The real node and the real client run unmodified on a virtual event loop (`virtual_loop`), over a
virtual network (`network`), disks that forget (`disk`) and clocks that err. `cluster` puts them
together, `fault_plan` says what breaks and when, `invariants` watch, `seed_run` runs one seed.
"""
