"""The wire protocols of the model service: GraphPipe and the Open Inference Protocol.

A protocol is a folder with a codec, which does no I/O, and an endpoint. `serving/server.py` builds the endpoint and
passes requests to it by their path. The first part of its paths cannot be the name of a model:
`serving/version_folder.py` reserves it. If its errors are JSON, `fncast/http/error_body.py` lists its paths. A protocol
with another port is a Companion of the server, which `fncast/cli/commands/model_service.py` builds.
"""
