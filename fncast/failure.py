"""The error that ends a command with one sentence for its user."""


class Failure(Exception):
    """A command failed for a reason that its user can act on. The text is one sentence; the exit code is 1."""
