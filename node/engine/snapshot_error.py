"""What is raised when a snapshot cannot be one of ours."""


class SnapshotError(Exception):
    """The pages of a snapshot contradict each other, or their layout."""
