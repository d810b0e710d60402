"""The consumer client: polling, its errors, its offsets."""
