"""The toy folder: data, coverage, scripts, and (slow) the results of training."""

from pathlib import Path

import numpy as np
import pytest
from helpers import refused
from PIL import Image

from common.checkpoints import load_model
from common.sampling import generate_images, generate_latent_points
from toy_gan import train_1010, train_points
from toy_gan.points import SETS, coverage

RUN = Path("runs/toy_gan/0001")


@pytest.mark.parametrize("name", SETS)
def test_points_lie_around_their_skeleton_within_the_picture(name):
    target = SETS[name](np.random.default_rng(1), n=4000)
    assert target.points.shape == (4000, 2) and target.points.dtype == np.float32
    assert np.abs(target.points).max() < 1.6
    modes, share = coverage(target.points, target)
    assert modes == target.modes.max() + 1
    assert share > 0.98  # of a normal distribution in the plane, 98.9 % is within 3 sigma


def test_the_ring_has_8_gaussians_of_radius_1_and_sigma_005():
    target = SETS["ring"](np.random.default_rng(1), n=40_000)
    np.testing.assert_allclose(np.linalg.norm(target.skeleton, axis=1), 1, rtol=1e-6)
    gaps = target.points[:, None] - target.skeleton
    own = gaps[np.arange(40_000), (gaps**2).sum(2).argmin(1)]
    np.testing.assert_allclose(own.std(0), 0.05, rtol=0.02)
    assert len(target.skeleton) == 8


def test_the_other_sets_have_the_modes_that_they_are_named_for():
    rng = np.random.default_rng(1)
    n_modes = {name: SETS[name](rng).modes.max() + 1 for name in SETS}
    assert n_modes == {"ring": 8, "grid": 25, "moons": 2, "roll": 1}


def test_coverage_counts_modes_and_good_points():
    target = SETS["ring"](np.random.default_rng(1))
    three = np.repeat(target.skeleton[:3], 100, axis=0)
    assert coverage(three, target) == (3, 1.0)
    half = np.concatenate([three, np.zeros((300, 2))])  # the centre is no mode
    assert coverage(half, target) == (3, 0.5)
    lost = np.concatenate([three, np.full((300, 2), np.nan)])
    assert coverage(lost, target) == (3, 0.5)
    few = np.concatenate([np.repeat(target.skeleton[:1], 995, axis=0),
                          target.skeleton[[1, 2, 3, 4, 5]]])  # fmt: skip
    assert coverage(few, target) == (1, 1.0)  # a point or two is no mode found


def found_the_ring(points):
    """Return whether all modes are found, with at least 80 % of good points."""
    modes, share = coverage(points, SETS["ring"](np.random.default_rng(0)))
    print(f"{modes} modes, {share:.1%} within 3 sigma")
    return modes == 8 and share >= 0.8


def test_a_bare_circle_and_an_untrained_generator_have_not_found_the_ring():
    rng = np.random.default_rng(1)
    angles = rng.uniform(0, 2 * np.pi, 2000)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    g_model = train_points.define_generator(32)
    untrained = generate_images(g_model, generate_latent_points(32, 2000, rng))
    assert not found_the_ring(circle)
    assert not found_the_ring(untrained)
    assert found_the_ring(SETS["ring"](rng).points)


@pytest.mark.slow
def test_points_are_trained_plotted_and_resumed_bit_for_bit():
    words = ["--data", "moons", "--steps-per-epoch", "3", "--seed", "1",
             "--objective", "r3gan"]  # fmt: skip
    train_points.main([*words, "--epochs", "2", "--run-dir", "unbroken"])
    train_points.main([*words, "--epochs", "1", "--run-dir", "resumed"])
    train_points.main(["--resume", "resumed", "--epochs", "2"])
    unbroken, resumed = Path("unbroken/history.csv"), Path("resumed/history.csv")
    assert unbroken.read_text() == resumed.read_text()
    with Image.open("unbroken/training.gif") as video:
        assert video.n_frames == 2
    g_model = load_model("unbroken/generator_model_002.h5")
    again = load_model("resumed/generator_model_002.h5")
    for one, other in zip(g_model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_another_set_of_points_is_rejected(capsys):
    assert "ring" in refused(capsys, train_points.main, "--data", "circle")


def test_a_valid_pattern_is_inside_all_four_ranges():
    assert train_1010.is_valid(np.array([0.8, 0.2, 1.0, 0.0]))
    for i in range(4):
        pattern = np.array([0.9, 0.1, 0.9, 0.1])
        pattern[i] = 0.5
        assert not train_1010.is_valid(pattern)
    patterns = train_1010.load_real_samples(1000, np.random.default_rng(0))
    assert all(map(train_1010.is_valid, patterns))
    assert patterns.min(0)[0] < 0.81 and patterns.max(0)[1] > 0.19


def test_the_networks_of_1010_are_those_of_the_book():
    assert train_1010.define_discriminator().count_params() == 4 * 3 + 3 + 3 + 1
    assert train_1010.define_generator().count_params() == 3 + 3 + 3 * 4 + 4


@pytest.mark.slow
def test_1010_is_valid_and_was_not_before():
    """With seed 2; test_scripts runs the script with seed 1."""
    import keras

    keras.utils.set_random_seed(2)
    g_model = train_1010.define_generator()
    assert not train_1010.is_valid(train_1010.generate(g_model))
    gan = train_1010.constant_gan(g_model, train_1010.define_discriminator())
    dataset = train_1010.load_real_samples(10_000, np.random.default_rng(2))
    losses, patterns = train_1010.train(gan, dataset)
    assert train_1010.is_valid(patterns[-1])
    assert len(losses["d1"]) == len(patterns) == 100


@pytest.mark.slow
def test_the_ring_is_found():
    words = ["--objective", "r3gan", "--seed", "1"]
    train_points.main([*words, "--epochs", "20", "--save-every", "20"])
    g_model = load_model(RUN / "generator_model_020.h5")
    z = generate_latent_points(32, 2000, np.random.default_rng(0))
    assert found_the_ring(generate_images(g_model, z))
