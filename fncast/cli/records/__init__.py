"""Kafka records as commands publish and show them."""
