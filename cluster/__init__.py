"""The command line.

Supervises nodes on this machine, and operates a cluster through its protocol.
"""
