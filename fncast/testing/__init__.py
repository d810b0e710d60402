"""The whole of fncast in containers, for the tests of those who build on it. See docs/testing.md."""

from fncast.testing.stack import Fncast, StackError

__all__ = ["Fncast", "StackError"]
