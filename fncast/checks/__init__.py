"""Tries every hop from the broker to the model, for `fncast check`."""
