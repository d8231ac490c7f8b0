"""The shape of the tree, and what imports cannot show."""
