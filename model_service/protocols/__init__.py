"""What goes over the wire: GraphPipe and the Open Inference Protocol."""
