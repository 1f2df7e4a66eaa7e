"""Numbers of three steps of small models, recorded once: see `test_golden.py`.

python tests/golden.py FILE [all]    writes the cases of KEPT, or all valid ones
"""

import itertools
import os
import sys
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import keras
import numpy as np
from keras import layers

from common.basics.errors import UserError
from common.fitting.build import define_models, gan_for
from common.options.training_options import training_options
from mnist_gan import train

OBJECTIVES = ("bce", "minimax", "lsgan", "hinge", "wgan", "wgan-gp", "ebgan", "began",
              "r3gan")  # fmt: skip
BATCHES = ("", "--d-batches separate")
CONDITIONS = ("", *(f"--conditional --condition {c}" for c in
                    ("concat", "hadamard", "classify")))  # fmt: skip
MORE = ("", "--ema 0.9", "--label-smoothing 0.1", "--label-noise 0.3", "--wrong-labels",
        "--augment", "--critic-steps 2", "--pull-away 0.1",
        "--optimizer rmsprop --g-learning-rate 0.002")  # fmt: skip
KINDS = ("spectral", "regularized")  # of D, besides the one with BatchNormalization
KEPT = (  # not covered by closed forms in other tests
    "bce, regularized",
    "bce --d-batches separate, spectral",
    "r3gan, spectral",
    "lsgan --label-noise 0.3",
    "bce --conditional --condition concat --wrong-labels",
    "hinge --conditional --condition classify --critic-steps 2",
    "minimax --d-batches separate --conditional --condition hadamard "
    "--label-smoothing 0.1",
    "wgan --conditional --condition concat --augment",
    "wgan-gp --conditional --condition hadamard --ema 0.9",
    "r3gan --conditional --condition concat --optimizer rmsprop --g-learning-rate 0.002",
    "ebgan --pull-away 0.1",
    "began --ema 0.9",
)
SHAPE, N, N_CLASSES, N_VALUES = (4, 4, 1), 3, 3, 6


def options_of(name):
    """Return the options of a case, whose name is its words and the kind of its D."""
    words = f"--learning-rate 0.01 --latent-dim 4 --seed 1 --objective {name}"
    return training_options(words.partition(",")[0].split(), train.SCRIPT)


def all_cases():
    """Yield the names of all valid combinations."""
    parts = itertools.product(OBJECTIVES, BATCHES, CONDITIONS, MORE)
    names = [" ".join(filter(None, words)) for words in parts]
    kinds = itertools.product(("bce", "bce --d-batches separate", "r3gan"), KINDS)
    names += [f"{name}, {kind}" for name, kind in kinds]
    for name in names:
        try:
            options_of(name)
        except UserError:
            continue
        yield name


def adam():
    return keras.optimizers.Adam(0.01, beta_1=0.5, epsilon=1e-3)


def define_generator(latent_dim):
    return keras.Sequential(
        [
            layers.Input((latent_dim,)),
            layers.Dense(4 * 4 * 9, use_bias=False),
            layers.Reshape((4, 4, 9)),
            layers.BatchNormalization(momentum=0.9),
            layers.LeakyReLU(0.2),
            layers.Conv2D(1, 3, padding="same", activation="sigmoid"),
        ]
    )


def define_discriminator(in_shape, kind):
    convolution = {"filters": 3, "kernel_size": 3, "strides": 2, "padding": "same"}
    if kind == "spectral":
        start = [layers.SpectralNormalization(layers.Conv2D(**convolution))]
    else:
        start = [
            layers.Conv2D(
                **convolution,
                use_bias=kind == "regularized",
                kernel_regularizer="l2" if kind == "regularized" else None,
                kernel_constraint=keras.constraints.MaxNorm(0.8),
            ),
            *([layers.BatchNormalization()] if kind == "batch" else []),
        ]
    end = layers.Dense(1, activation="sigmoid", dtype="float32")
    d_model = keras.Sequential(
        [layers.Input(in_shape), *start, layers.LeakyReLU(0.2), layers.Flatten(), end]
    )
    d_model.compile(loss="binary_crossentropy", optimizer=adam())
    return d_model


def define_gan(g_model, d_model):
    d_model.trainable = False
    gan = keras.Sequential([g_model, d_model])
    gan.compile(loss="binary_crossentropy", optimizer=adam())
    return gan


def weights_of(*models):
    """Return the variables of models, except random states."""
    return [w for m in models for w in m.weights if "seed_generator" not in w.path]


class FixedRandom:
    """Random numbers that do not depend on the initial seeds of models."""

    def __init__(self):
        self.counts = {}

    def normal(self, shape, *_, seed=None, **__):
        count = self.counts[id(seed)] = self.counts.get(id(seed), 0) + 1
        values = np.random.default_rng([count, *map(int, shape)]).standard_normal(shape)
        return keras.ops.array(values.astype("float32"))

    def uniform(self, shape, minval=0.0, maxval=1.0, *_, **__):
        shape = tuple(map(int, shape))
        values = np.random.default_rng(shape).random(shape)
        return keras.ops.array((minval + (maxval - minval) * values).astype("float32"))

    def randint(self, shape, minval, maxval, *_, **__):
        shape = tuple(map(int, shape))
        values = np.random.default_rng(shape).integers(minval, maxval, shape)
        return keras.ops.array(values.astype("int32"))


def pick(variables):
    """Return a few numbers of each variable, and its norm: float32 (n,)."""
    found = []
    for variable in variables:
        flat = np.asarray(variable, "float32").ravel()
        places = np.linspace(0, len(flat) - 1, min(N_VALUES, len(flat))).astype(int)
        found += [*flat[places], np.linalg.norm(flat)]
    return np.array(found, "float32")


def three_steps(name):
    """Return the logs of three steps of a case, and numbers of the new weights.

    Returns:
        dict, name -> float32 (n,).
    """
    options, kind = options_of(name), name.partition(", ")[2] or "batch"
    classes = tuple("abc") if options.conditional else ()
    keras.utils.set_random_seed(0)
    models = define_models(
        options, define_generator, lambda shape: define_discriminator(shape, kind),
        define_gan, SHAPE, classes,
    )  # fmt: skip
    for i, w in enumerate(weights_of(*models[:2])):
        values = 0.3 * np.random.default_rng(i).standard_normal(w.shape)
        w.assign(np.abs(values) + 0.5 if "variance" in w.path else values)
    gan, found = gan_for(options, *models), {}
    rng, fixed, n = np.random.default_rng(9), FixedRandom(), N * options.critic_steps
    with mock.patch.multiple(
        keras.random, normal=fixed.normal, uniform=fixed.uniform, randint=fixed.randint
    ):
        for _ in range(3):
            data = [rng.random((n, *SHAPE)).astype("float32")]
            if classes:
                data += [rng.integers(0, N_CLASSES, (n, 1)).astype("int32")]
            for key, value in gan.train_step(tuple(map(keras.ops.array, data))).items():
                found.setdefault(f"log {key}", []).append(float(value))
    found |= {"g": pick(weights_of(gan.g_model)), "d": pick(weights_of(gan.d_model))}
    if options.ema:
        with gan.averaged_generator():
            found["ema"] = pick(weights_of(gan.g_model))
    return {key: np.array(values, "float32") for key, values in found.items()}


if __name__ == "__main__":
    names = list(all_cases()) if "all" in sys.argv else KEPT
    arrays = {f"{n}|{k}": x for n in names for k, x in three_steps(n).items()}
    np.savez_compressed(sys.argv[1], **arrays)
    print(f"{len(names)} cases")
