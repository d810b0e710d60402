"""The commands: one module each, listed in `fncast/cli/main.py`."""
