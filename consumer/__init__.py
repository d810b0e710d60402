"""The poll → handle → publish → commit loop, its settings and its Kafka adapters."""
