"""The Keras layers of the network."""
