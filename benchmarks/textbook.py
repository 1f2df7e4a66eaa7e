"""Train with the textbook's loop on Keras 2: `predict` and `train_on_batch`.

It is a new implementation of what the tutorials teach. Keras 2 (`tf-keras`) reads the
flag `trainable` at `compile`: D is trainable alone and frozen in the composite.

    benchmarks/.venv/bin/python benchmarks/textbook.py mnist IMAGES.npy --steps 12
"""

import argparse
import sys
import time
from itertools import islice
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from tf_keras import Sequential, layers, mixed_precision, optimizers

LATENT_DIM = 100
BATCH = {"mnist": 256, "cifar10": 128}


def adam():
    return optimizers.Adam(learning_rate=0.0002, beta_1=0.5)


def define_discriminator(dataset):
    """Define and compile D, images -> probability of being real."""
    model = Sequential(name="discriminator")
    if dataset == "mnist":
        model.add(layers.Input((28, 28, 1)))
        for _ in range(2):  # 14x14x64, 7x7x64
            model.add(layers.Conv2D(64, 3, strides=2, padding="same"))
            model.add(layers.LeakyReLU(0.2))
            model.add(layers.Dropout(0.4))
        model.add(layers.Flatten())
    else:
        model.add(layers.Input((32, 32, 3)))
        for filters, strides in ((64, 1), (128, 2), (128, 2), (256, 2)):
            model.add(layers.Conv2D(filters, 3, strides=strides, padding="same"))
            model.add(layers.LeakyReLU(0.2))
        model.add(layers.Flatten())
        model.add(layers.Dropout(0.4))
    model.add(layers.Dense(1, activation="sigmoid"))
    model.compile(loss="binary_crossentropy", optimizer=adam(), metrics=["accuracy"])
    return model


def define_generator(dataset):
    """Define G, latent vectors -> images."""
    side, maps, doublings = (7, 128, 2) if dataset == "mnist" else (4, 256, 3)
    model = Sequential(name="generator")
    model.add(layers.Input((LATENT_DIM,)))
    model.add(layers.Dense(maps * side * side))
    model.add(layers.LeakyReLU(0.2))
    model.add(layers.Reshape((side, side, maps)))
    for _ in range(doublings):
        model.add(layers.Conv2DTranspose(128, 4, strides=2, padding="same"))
        model.add(layers.LeakyReLU(0.2))
    if dataset == "mnist":
        model.add(layers.Conv2D(1, 7, padding="same", activation="sigmoid"))
    else:
        model.add(layers.Conv2D(3, 3, padding="same", activation="tanh"))
    return model


def define_gan(g_model, d_model):
    """Define and compile the composite, with D frozen in it."""
    d_model.trainable = False
    model = Sequential([g_model, d_model], name="gan")
    model.compile(loss="binary_crossentropy", optimizer=adam())
    return model


def define_models(dataset):
    """Return G, D and the composite."""
    g_model, d_model = define_generator(dataset), define_discriminator(dataset)
    return g_model, d_model, define_gan(g_model, d_model)


def scaled(pixels, dataset):
    """Scale uint8 images to float32 in [0, 1], or [-1, 1] for CIFAR-10."""
    pixels = pixels.astype("float32")
    return pixels / 255 if dataset == "mnist" else (pixels - 127.5) / 127.5


def real_samples(images, n):
    return images[np.random.randint(0, len(images), n)], np.ones((n, 1))


def latent_vectors(n):
    return np.random.randn(n * LATENT_DIM).reshape(n, LATENT_DIM)


def fake_samples(g_model, n):
    return g_model.predict(latent_vectors(n), verbose=0), np.zeros((n, 1))


def train(dataset, models, images, n_batch):
    """Train until the generator is closed; yield after every iteration.

    D is updated on a mixed batch for MNIST, on separate batches for CIFAR-10.
    """
    g_model, d_model, gan_model = models
    half = n_batch // 2
    while True:
        if dataset == "mnist":
            parts = real_samples(images, half), fake_samples(g_model, half)
            d_model.train_on_batch(*map(np.vstack, zip(*parts, strict=True)))
        else:
            d_model.train_on_batch(*real_samples(images, half))
            d_model.train_on_batch(*fake_samples(g_model, half))
        gan_model.train_on_batch(latent_vectors(n_batch), np.ones((n_batch, 1)))
        yield


def stepper(dataset, precision, pixels):
    """Return a function for `worker.py`: batch size and k -> seconds of k steps."""
    if precision == "bfloat16":
        mixed_precision.set_global_policy("mixed_bfloat16")
    models, images = define_models(dataset), scaled(pixels, dataset)

    def run(n_batch, k):
        seconds = []
        training = train(dataset, models, images, n_batch)
        for _ in range(k):
            started = time.perf_counter()
            next(training)
            seconds.append(time.perf_counter() - started)
        return seconds

    return run


def main():
    """Train, and save G's weights as `NNNNN.npz` (number of steps) at intervals."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("dataset", choices=BATCH)
    parser.add_argument("images", help="an .npy of uint8 (n, h, w, c)")
    parser.add_argument("--steps", type=int, default=234, help="iterations (234)")
    parser.add_argument("--keep", metavar="DIR", help="folder for G's weights")
    parser.add_argument("--every", type=int, default=78, help="steps per file (78)")
    options = parser.parse_args()
    images = scaled(np.load(options.images), options.dataset)
    models = define_models(options.dataset)
    training = train(options.dataset, models, images, BATCH[options.dataset])
    started = time.perf_counter()
    for step, _ in enumerate(islice(training, options.steps), start=1):
        if options.keep and (step % options.every == 0 or step == options.steps):
            np.savez(Path(options.keep) / f"{step:05d}.npz", *models[0].get_weights())
            elapsed = time.perf_counter() - started
            left = f"{elapsed / step * (options.steps - step) / 60:.1f} min left"
            print(f"textbook: step {step} of {options.steps}, {left}", flush=True)


if __name__ == "__main__":
    main()
