"""The words: units, identifiers, codes, and the byte layouts of everything that is logged or sent."""
