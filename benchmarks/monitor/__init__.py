"""Measures `fncast monitor` on a real broker, and `fncast detect` on a file."""
