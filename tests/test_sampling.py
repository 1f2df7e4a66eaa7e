"""Batches: labels, ranges, and an order that follows from the seed."""

import numpy as np

from common import sampling
from mnist_gan.define_generator import define_generator

DATASET = np.arange(10, dtype="float32").reshape(10, 1, 1, 1) / 10


def test_real_samples_are_from_the_dataset_and_labelled_one():
    images, labels = sampling.generate_real_samples(DATASET, 200)
    assert set(images.ravel()) == set(DATASET.ravel())
    assert labels.shape == (200, 1) and (labels == 1).all()


def test_latent_vectors_are_standard_normal():
    z = sampling.generate_latent_points(20, 5000)
    assert z.shape == (5000, 20) and z.dtype == np.float32
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02


def test_fake_samples_are_the_generators_and_labelled_zero():
    g_model = define_generator(5)
    images, labels = sampling.generate_fake_samples(
        g_model, 5, 3, np.random.default_rng(7)
    )
    z = sampling.generate_latent_points(5, 3, np.random.default_rng(7))
    np.testing.assert_allclose(images, g_model(z), atol=1e-6)
    assert labels.shape == (3, 1) and (labels == 0).all()


def test_random_samples_are_uniform_and_labelled_zero():
    images, labels = sampling.generate_random_samples((28, 28, 1), 50)
    assert images.shape == (50, 28, 28, 1) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() < 1 and abs(images.mean() - 0.5) < 0.01
    assert (labels == 0).all()


def test_random_samples_fill_the_requested_range():
    images, _ = sampling.generate_random_samples((8, 8, 3), 50, low=-1, high=1)
    assert images.dtype == np.float32 and -1 <= images.min() < -0.99
    assert 0.99 < images.max() < 1
