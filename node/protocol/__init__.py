"""The bytes between a client and a node: pure, without sockets, clocks or keys.

See docs/protocol.md.
"""
