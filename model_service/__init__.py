"""The model behind a function: GraphPipe codec, client and server. No TensorFlow outside training and one runtime."""
