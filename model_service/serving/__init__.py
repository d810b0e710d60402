"""Serves versioned models over HTTP and gRPC: server, batcher, versions on disk, runtimes."""
