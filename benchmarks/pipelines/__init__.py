"""Measures the whole path, Kafka to Kafka, beside its peers and the limit."""
