"""The proof: offline replay and verification over engine, journal and storage."""
