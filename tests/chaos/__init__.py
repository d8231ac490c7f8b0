"""Promises of the chaos product: its disks, networks, checkers and commands."""
