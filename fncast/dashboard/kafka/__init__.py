"""Reads topics for the page in a separate thread."""
