"""Data preparation, the network, training, evaluation and plots. The only package that needs TensorFlow."""
