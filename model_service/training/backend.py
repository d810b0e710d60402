"""TensorFlow, set up once before its first use: quiet, seeded, and with few threads."""

from __future__ import annotations

import logging
import os

# Set before the import: TensorFlow reads them once. 2 = errors only, it warns of every missing CPU feature.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # sums in one order: equal seeds give equal weights
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")  # a GPU's kernel would be baked into the exported graph

import keras
import tensorflow as tf

__all__ = ["keras", "seed_everything", "tf"]

# The networks are small: more threads cost more in hand-over than they save.
THREADS = 2

logging.getLogger("tensorflow").setLevel(logging.ERROR)  # "Assets written to" is no news


def _limit_threads() -> None:
    try:
        tf.config.threading.set_intra_op_parallelism_threads(min(THREADS, os.cpu_count() or 1))
        tf.config.threading.set_inter_op_parallelism_threads(1)
    except RuntimeError:  # the process has used TensorFlow already, with its own settings
        pass


_limit_threads()


def seed_everything(seed: int) -> None:
    """Equal seeds and threads give equal weights, on a busy machine too: no operation sums in the order in which
    threads happen to end."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
