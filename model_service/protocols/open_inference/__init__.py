"""The Open Inference Protocol (KServe v2): REST with Triton's binary tensor extension, and gRPC.

Protocol: the Open Inference Protocol's specification, REST and gRPC; NVIDIA Triton's "Binary Tensor Data Extension"."""
