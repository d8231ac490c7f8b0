"""One module a command of `quorumbook`.

Each has a `command`, and is imported only when it is called.
"""
