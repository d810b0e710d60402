"""The wire protocols of the model service: GraphPipe and the Open Inference Protocol."""
