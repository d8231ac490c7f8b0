"""The chain's side. Empty so far.

The Solidity sources, their artefacts and deployment will live here.
"""
