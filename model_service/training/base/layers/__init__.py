"""The Keras layers of the base network."""
