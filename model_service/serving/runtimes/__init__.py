"""The libraries that run a model: LiteRT and TensorFlow."""
