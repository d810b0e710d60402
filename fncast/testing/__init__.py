"""Runs all of fncast in containers, for the tests of users. See docs/testing.md."""

from fncast.testing.stack import Fncast, StackError

__all__ = ["Fncast", "StackError"]
