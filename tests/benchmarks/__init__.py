"""Figures, each a median of several runs."""
