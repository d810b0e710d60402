"""Recognises the format of a topic's records and proposes settings for it. Used by `fncast init` and `fncast check`."""
