"""The demo: runs every part of fncast as a separate process on this machine, and supervises the processes."""
