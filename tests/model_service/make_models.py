"""Writes small models with TensorFlow; run once a test session, in a separate process.

<folder>/ours, ours_later, ours_wider: SavedModel, model.tflite and model.json, as `fncast train` writes them:
    windows [-1, WINDOW] -> forecast [-1, HORIZON, 3]; forecast[i, h, q] = mean(window i) + h + q + OFFSET.
<folder>/foreign: a SavedModel of two inputs whose rows influence each other: a, b -> total, product.
<folder>/broken: like ours, but it answers NaN.
<folder>/frozen.pb: x [-1, 2] -> y = 2 x + 1.
<folder>/strings: a SavedModel of strings: texts [-1] -> joined [].
<folder>/strings.tflite: texts [-1] -> column [-1, 1].
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tensorflow as tf

VARIANTS = {
    "ours": (6, 2, 0.0),
    "ours_later": (6, 2, 1000.0),
    "ours_wider": (8, 3, 2000.0),
    "broken": (6, 2, float("nan")),
}


def write_ours(folder: Path, window: int, horizon: int, offset: float) -> None:
    module = tf.Module()
    steps = tf.range(horizon, dtype=tf.float32)[:, None] + tf.range(3, dtype=tf.float32)[None, :]
    module.offset = tf.Variable(offset)

    @tf.function(input_signature=[tf.TensorSpec([None, window], tf.float32, name="windows")])
    def forecast(windows: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"forecast": tf.reduce_mean(windows, axis=1)[:, None, None] + steps[None] + module.offset}

    module.forecast = forecast
    tf.saved_model.save(module, str(folder), signatures={"serving_default": forecast})
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    (folder / "model.tflite").write_bytes(converter.convert())
    document = {"name": "forecast", "window": window, "horizon": horizon, "quantiles": [0.1, 0.5, 0.9]}
    (folder / "model.json").write_text(json.dumps(document))


def write_foreign(folder: Path) -> None:
    module = tf.Module()

    @tf.function(
        input_signature=[
            tf.TensorSpec([None], tf.float64, name="a"),
            tf.TensorSpec([None], tf.float64, name="b"),
        ]
    )
    def run(a: tf.Tensor, b: tf.Tensor) -> dict[str, tf.Tensor]:
        tf.debugging.assert_non_negative(a)
        return {"total": tf.reduce_sum(a + b), "product": a * b}

    module.run = run
    tf.saved_model.save(module, str(folder), signatures={"serving_default": run})


def write_frozen(path: Path) -> None:
    graph = tf.Graph()
    with graph.as_default():
        x = tf.compat.v1.placeholder(tf.float32, [None, 2], name="x")
        tf.add(2 * x, 1, name="y")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def write_strings(folder: Path, lite: Path) -> None:
    module = tf.Module()

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def join(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"joined": tf.strings.reduce_join(texts)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="texts")])
    def stack(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"column": tf.reshape(texts, [-1, 1])}

    module.join = join
    tf.saved_model.save(module, str(folder), signatures={"serving_default": join})
    converter = tf.lite.TFLiteConverter.from_concrete_functions([stack.get_concrete_function()], module)
    lite.write_bytes(converter.convert())


def main(root: Path) -> None:
    for name, (window, horizon, offset) in VARIANTS.items():
        write_ours(root / name, window, horizon, offset)
    write_foreign(root / "foreign")
    write_frozen(root / "frozen.pb")
    write_strings(root / "strings", root / "strings.tflite")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
