"""The chain seen from a replica. Empty so far: batches and the deposit watcher will live here.

Until then an operator's deposit command, with the same cursor, stands in for the chain.
"""
