"""Keyed state of interceptors: kept in a compacted topic, restored when a partition is assigned."""
