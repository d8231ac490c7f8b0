"""A folder for the module path of a node whose wall clock is to be wrong."""
