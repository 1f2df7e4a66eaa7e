"""Generators with known scores, and helpers that run the command on them."""

import json
from pathlib import Path

import keras
import numpy as np
from keras import layers

from common.evaluate import main

RUN = Path("runs/mnist_gan/0001")
FIRST, SECOND = "generator_model_001.h5", "generator_model_002.h5"
FEW = ["-n", "100", "--repeats", "1"]
OTHER_RUNS = Path("runs/evaluate")


def save(model, path):
    model.save(path, include_optimizer=False)


def choosing(pixels, latent_dim=30):
    """Return a generator that outputs one of these images, uint8 (n, 28, 28)."""
    model = keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(len(pixels), activation="softmax", use_bias=False),
            layers.Dense(28 * 28, use_bias=False),
            layers.Reshape((28, 28, 1)),
        ],
        name="generator",
    )
    choice = 1e4 * np.random.default_rng(0).standard_normal((latent_dim, len(pixels)))
    model.set_weights([choice, pixels.reshape(len(pixels), -1) / np.float32(255)])
    return model


def of_classes(pixels):
    """Return a conditional generator of one image per class, uint8 (10, 28, 28)."""
    z, label = layers.Input((5,)), layers.Input((1,), dtype="int32")
    images = layers.Flatten()(layers.Embedding(10, 28 * 28, name="images")(label))
    images = layers.Add()([images, layers.Dense(28 * 28, "linear", False, "zeros")(z)])
    model = keras.Model([z, label], layers.Reshape((28, 28, 1))(images))
    model.get_layer("images").set_weights([pixels.reshape(10, -1) / 255])
    return model


def lines(folder=RUN):
    return [json.loads(line) for line in (folder / "metrics.jsonl").open()]


def score(*words):
    main([str(word) for word in words])
