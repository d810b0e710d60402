"""Trains, serves and calls forecasting models.

`serving/` runs models behind HTTP and gRPC, `protocols/` holds the wire formats, `client/` is what functions import,
`training/` makes models. Only `training/` and one runtime file import TensorFlow.
"""
