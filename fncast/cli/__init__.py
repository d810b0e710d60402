"""The composition roots, one file a command: they alone may import every room."""
