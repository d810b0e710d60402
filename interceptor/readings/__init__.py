"""Formats of single readings on Kafka topics: one file a format, each a pure function from a record to readings."""
