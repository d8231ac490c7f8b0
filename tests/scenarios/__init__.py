"""Transcripts: a few commands and what comes of them."""
