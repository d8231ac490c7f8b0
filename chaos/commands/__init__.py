"""The commands of `python -m chaos`, one module each; each has a click command named `command`."""
