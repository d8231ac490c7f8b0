"""Faults on purpose, and the proof of what held: see docs/chaos.md.

`simulation` runs whole clusters from one seed, `real` breaks real processes on real disks; both
hand histories to `checkers` and end in one `report`.
"""
