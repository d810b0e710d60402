"""The Open Inference Protocol (KServe v2) over REST and gRPC.

Sources: the REST and gRPC specification of the Open Inference Protocol; the "Binary Tensor Data Extension" of NVIDIA
Triton, which REST supports.
"""
