"""`--preset quick` learns to draw all ten digits; an untrained generator does not.

On real MNIST where GAN_DATA_DIR has it, otherwise on the digits of scikit-learn.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from common.checkpoints import load_discriminator, load_generator
from common.datasets import load_images
from common.sampling import generate_images, generate_latent_points, with_labels
from mnist_gan import quick, train
from mnist_gan.digit_classifier import DigitClassifier, draw, last_generator
from mnist_gan.train import main

DATA_DIR = os.environ.get("GAN_DATA_DIR")


def draws_all_digits(classes):
    return classes.min() > 0 and classes.max() <= 0.25


@pytest.mark.slow
def test_quick_draws_all_ten_digits_and_an_untrained_generator_does_not(monkeypatch):
    if DATA_DIR is not None:
        monkeypatch.setenv("GAN_DATA_DIR", DATA_DIR)
    real, test = load_images("auto"), load_images("auto", "test")
    judge = DigitClassifier(real, epochs=3 if len(real.pixels) > 10_000 else 60)
    accuracy = judge.accuracy(test)
    print(f"{real.name}: the classifier reads {accuracy:.1%} of the test images")
    assert accuracy > 0.95

    started = time.time()
    main(["--preset", "quick", "--seed", "1"])
    print(f"trained in {time.time() - started:.0f} s")
    models = Path("runs/mnist_gan/0001").glob("generator_model_*.h5")
    trained, latent_dim, _ = load_generator(max(models))
    points = generate_latent_points(latent_dim, 1000, np.random.default_rng(0))
    scores = {}
    for name, g_model in {
        "trained": trained,
        "control": quick.define_generator(latent_dim),
    }.items():
        scores[name] = judge.score(generate_images(g_model, points), test.pixels / 255)
        print(name, scores[name])
    assert draws_all_digits(scores["trained"]["classes"])
    assert not draws_all_digits(scores["control"]["classes"])
    assert scores["trained"]["confident"] > 0.6
    assert scores["trained"]["distance"] < scores["control"]["distance"] / 5


@pytest.mark.slow
def test_classes_are_drawn_as_asked_unless_their_labels_were_shuffled(monkeypatch):
    """And with --wrong-labels D knows a real image from one with a wrong label."""
    if DATA_DIR is not None:
        monkeypatch.setenv("GAN_DATA_DIR", DATA_DIR)
    real, test = load_images("auto"), load_images("auto", "test")
    judge = DigitClassifier(real, epochs=3 if len(real.pixels) > 10_000 else 60)
    shuffled = np.random.default_rng(0).permutation(real.labels)
    agreement = {}
    for name, images, words in (
        ("right", real, ["--wrong-labels"]),
        ("shuffled", real._replace(labels=shuffled), []),
    ):
        monkeypatch.setattr(train, "load_images", lambda data, images=images: images)
        words += ["--preset", "quick", "--seed", "1", "--epochs", "4", "--conditional"]
        main([*words, "--run-dir", name])
        drawn, labels = draw(*last_generator(Path(name)), 1000)
        score = judge.score(drawn, test.pixels / 255, labels)
        agreement[name] = score["agreement"]
    print(agreement)
    assert agreement["right"] >= 0.85 > agreement["shuffled"]
    d_model = load_discriminator(Path("right/discriminator_model_004.h5"))
    pixels, labels = test.pixels[:1000] / np.float32(255), test.labels[:1000]
    right, wrong = (
        d_model.predict(with_labels(pixels, k), verbose=0).mean()
        for k in (labels, (labels + 1) % 10)
    )
    print(f"D on real images with right labels {right:.2f}, with wrong ones {wrong:.2f}")
    assert wrong < right - 0.2
