"""Text of events and functions made safe to show; one function for all rooms."""

from fncast.foreign_text import CUT, MARK, clean, escaped

__all__ = ["CUT", "MARK", "clean", "escaped"]
