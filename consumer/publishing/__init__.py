"""Publishes settled deliveries and commits their offsets, in a thread beside the one that polls."""
