"""The adapters between the consumer and Kafka: everything that calls confluent-kafka."""
