"""The Kafka consumer process: its loop, its settings and its Kafka adapters."""
