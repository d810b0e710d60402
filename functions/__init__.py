"""Fn functions, a folder each, and the local host that runs such a folder without an Fn server."""
