"""Batches for the two players: real images (label 1), latent points, fakes (label 0).

`rng` is a NumPy generator; without one, NumPy's global state is used, which
`keras.utils.set_random_seed` seeds.
"""

import numpy as np


def generate_real_samples(dataset, n_samples, rng=np.random):
    """Draw real images, with replacement.

    Returns:
        images float32 (n_samples, h, w, c) in the dataset's range, and labels: ones,
        float32 (n_samples, 1).
    """
    picks = (rng.random(n_samples) * len(dataset)).astype(int)
    return dataset[picks], np.ones((n_samples, 1), "float32")


def generate_latent_points(latent_dim, n_samples, rng=np.random):
    """Draw points of the latent space: float32 (n_samples, latent_dim), normal(0, 1)."""
    return rng.standard_normal((n_samples, latent_dim)).astype("float32")


def generate_fake_samples(g_model, latent_dim, n_samples, rng=np.random):
    """Draw images of the generator.

    Returns:
        images float32 (n_samples, h, w, c) in the generator's range, and labels: zeros,
        float32 (n_samples, 1).
    """
    images = generate_images(g_model, generate_latent_points(latent_dim, n_samples, rng))
    return images, np.zeros((n_samples, 1), "float32")


def generate_random_samples(shape, n_samples, rng=np.random, low=0, high=1):
    """Images of uniform noise: float32 (n_samples, *shape) in [low, high), and zeros."""
    images = low + (high - low) * rng.random((n_samples, *shape)).astype("float32")
    return images, np.zeros((n_samples, 1), "float32")


def generate_images(g_model, latent_points):
    """The generator's images of these points: float32 (n, h, w, c) in its own range."""
    return g_model.predict(latent_points, batch_size=100, verbose=0).astype("float32")
