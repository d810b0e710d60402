"""Imports and configures TensorFlow before its first use: few log messages, few threads, repeatable results."""

from __future__ import annotations

import logging
import os

# Set before the import, because TensorFlow reads them once. 2: errors only, no warnings about CPU features.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Fixed order of sums, so that equal seeds give equal weights.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # otherwise the exported graph could contain GPU kernels

import keras
import tensorflow as tf

__all__ = ["keras", "seed_everything", "tf"]

# The networks are small, so more threads would cost more than they save.
THREADS = 2

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # hides "Assets written to"


def _limit_threads() -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(min(THREADS, os.cpu_count() or 1))
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # the process has already used TensorFlow with other settings
        pass


_limit_threads()


def seed_everything(seed: int) -> None:
    """Seed all random generators, and make all operations deterministic.

    With the same seed and number of threads, training gives the same weights.
    """
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
