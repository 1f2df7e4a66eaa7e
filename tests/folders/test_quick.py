"""`--preset quick` learns to generate all ten digits; an untrained generator does not.

On real MNIST where GAN_DATA_DIR has it, otherwise on the digits of scikit-learn.
"""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from common.checkpoints import load_discriminator, load_generator
from common.runs.models import find_models
from common.sampling import with_labels
from common.scores import classifier
from common.scores.references import load_reference
from common.scores.scorer import classifier_scorer
from mnist_gan import train
from mnist_gan.train import main

DATA_DIR = os.environ.get("GAN_DATA_DIR")


@pytest.fixture
def scorer(monkeypatch, shared_classifiers):
    """Return a Scorer of 1,000 real digits, with a classifier."""
    if DATA_DIR is not None:
        monkeypatch.setenv("GAN_DATA_DIR", DATA_DIR)
    monkeypatch.setitem(classifier.EPOCHS, "mnist", 2)  # of 3, for there are tests to run
    scorer = classifier_scorer(*load_reference("mnist" if DATA_DIR else "digits"), 1000)
    assert scorer.features.accuracy >= (0.99 if DATA_DIR else 0.95)
    return scorer


@pytest.mark.slow
def test_quick_draws_all_ten_digits_and_an_untrained_generator_does_not(scorer):
    started = time.time()
    main(["--preset", "quick", "--seed", "1", "--epochs", "5"])
    print(f"trained in {time.time() - started:.0f} s")
    models, _ = find_models("runs/mnist_gan/0001")
    g_model, *_ = load_generator(models[-1])
    scores = {
        "trained": scorer.score(*scorer.sample(g_model, 0)),
        "control": scorer.untrained_baseline(g_model),
    }
    print(scores)
    draws_all = {k: x["rarest"] > 0 and x["commonest"] <= 0.25 for k, x in scores.items()}
    assert draws_all == {"trained": True, "control": False}
    assert scores["trained"]["confident"] > (0.6 if DATA_DIR else 0.4)
    assert scores["trained"]["fd"] < scores["control"]["fd"] / 5


@pytest.mark.slow
def test_classes_are_drawn_as_asked_unless_their_labels_were_shuffled(
    monkeypatch, scorer
):
    """With --wrong-labels D also separates real images with right and wrong labels."""
    real, test = scorer.train, scorer.test
    shuffled = np.random.default_rng(0).permutation(real.labels)
    agreement = {}
    for name, images, words in (
        ("right", real, ["--wrong-labels"]),
        ("shuffled", real._replace(labels=shuffled), []),
    ):
        monkeypatch.setattr(train, "load_images", lambda data, images=images: images)
        words += ["--preset", "quick", "--seed", "1", "--epochs", "1", "--conditional"]
        main([*words, "--run-dir", name])
        g_model, *_ = load_generator(Path(name, "generator_model_001.h5"))
        agreement[name] = scorer.score(*scorer.sample(g_model, 0))["agreement"]
    print(agreement)
    assert agreement["right"] >= 0.85 > agreement["shuffled"]
    d_model = load_discriminator(Path("right/discriminator_model_001.h5"))
    pixels, labels = test.pixels[:1000] / np.float32(255), test.labels[:1000]
    right, wrong = (
        d_model.predict(with_labels(pixels, k), verbose=0).mean()
        for k in (labels, (labels + 1) % 10)
    )
    print(f"D on real images with right labels {right:.2f}, with wrong ones {wrong:.2f}")
    assert wrong < right - 0.2
