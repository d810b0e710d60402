"""The dead-letter topic: read, filtered, published again."""
