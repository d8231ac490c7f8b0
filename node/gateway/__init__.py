"""The sockets.

Listener, connections, admission of commands, routing of replies, feeds and queries.
"""
