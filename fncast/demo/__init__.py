"""The demo: every part of fncast as its own process on this machine, watched over until it ends."""
