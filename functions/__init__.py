"""Fn functions, one folder each, and the local host that runs such folders without an Fn server."""
