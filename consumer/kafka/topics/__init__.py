"""The topics that the consumer reads and writes: checked, created, watched."""
