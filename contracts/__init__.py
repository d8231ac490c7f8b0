"""The chain's side: the vault in Solidity, its artefacts, and `python -m contracts`."""
