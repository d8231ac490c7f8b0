"""Disks that lose what was not synced, and damage to what lies on them."""
