"""One report a run: what was done, what was broken, what held, and how to see it again."""
