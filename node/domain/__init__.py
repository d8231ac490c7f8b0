"""The words.

Units, identifiers, codes, and the byte layouts of everything that is logged or sent.
"""
