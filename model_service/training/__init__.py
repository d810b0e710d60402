"""Data preparation, the RNN, evaluation and plots: the one room that needs TensorFlow."""
