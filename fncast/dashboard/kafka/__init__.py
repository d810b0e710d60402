"""Reads topics for the page in a thread of its own."""
