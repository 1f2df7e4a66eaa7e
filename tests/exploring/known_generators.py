"""Generators with known units, and a function that runs `explore.py` on them."""

from pathlib import Path

import keras
import numpy as np
from keras import layers
from PIL import Image

from common.explore import main
from common.layers.conditional import conditional_generator
from mnist_gan import quick

SQUARE = np.zeros((14, 14), np.float32)
SQUARE[2:6, 3:7] = 1
BAR = np.zeros((14, 14), np.float32)
BAR[10, 2:12] = 1
MODEL = Path("generator_model_001.h5")


def shapes_generator(latent_dim=4):
    """Return a generator of three units: a square, a bar, and one without effect.

    The bar is below the square. Each brightness depends on one coordinate of z.
    """
    model = keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(14 * 14 * 3, activation="relu"),
            layers.Reshape((14, 14, 3), name="shapes"),
            layers.UpSampling2D(),
            layers.Conv2D(1, 1, activation="sigmoid"),
        ],
        name="generator",
    )
    maps = np.stack([SQUARE, BAR, np.zeros_like(BAR)], axis=-1)
    kernel = np.zeros((latent_dim, 14, 14, 3), np.float32)
    kernel[0, ..., 0], kernel[1, ..., 1] = 0.05 * SQUARE, 0.05 * BAR
    ink = np.reshape([10, 10, 10], (1, 1, 3, 1))
    model.set_weights([kernel.reshape(latent_dim, -1), maps.ravel(), ink, np.array([-5])])
    return model


def random_generator(latent_dim=3):
    model = keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(64, activation="tanh"),
            layers.Dense(28 * 28, kernel_initializer=keras.initializers.RandomNormal()),
            layers.Reshape((28, 28, 1)),
            layers.Activation("sigmoid"),
        ],
        name="generator",
    )
    model.layers[1].kernel.assign(20 * model.layers[1].kernel)
    return model


def conditional(latent_dim=5):
    """Return a class-conditional generator of three classes."""
    return conditional_generator(quick.define_generator, latent_dim, 3, "hadamard")


def save(model, path=MODEL, classes=()):
    model.save(path, include_optimizer=False)
    return path


def explore(*words):
    main([str(word) for word in words])


def files(folder):
    return sorted(path.name for path in Path(folder).iterdir())


def paint():
    """Create a folder with a mask of the square, at twice its size; return its name."""
    Path("masks").mkdir()
    large = np.kron(SQUARE, np.full((4, 4), 255)).astype("uint8")
    Image.fromarray(large).save("masks/window.png")
    return "masks"
