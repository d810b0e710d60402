"""Runs one version of a model, with LiteRT or TensorFlow."""
