"""Training, generating and exploring with PyTorch, where it is installed."""

from importlib.util import find_spec

import numpy as np
import pytest
from helpers import run_script
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed"),
]
MODEL = "run/generator_model_001.h5"


def with_torch(script, *words):
    answer = run_script(script, *words, KERAS_BACKEND="torch")
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


@pytest.mark.parametrize("folder", ["mnist_gan", "cifar10_gan", "celeba_gan"])
def test_a_generator_is_trained_generates_and_is_explored(folder):
    words = ["--dry-run", "--preset", "quick", "--run-dir", "run"]
    assert "done" in with_torch(f"{folder}/train.py", *words)
    with_torch("common/generate.py", MODEL, "--seed", "1", "--out", "torch.png")
    answer = run_script("common/generate.py", MODEL, "--seed", "1", "--out", "tf.png")
    assert answer.returncode == 0, answer.stderr
    with Image.open("torch.png") as one, Image.open("tf.png") as other:
        differences = np.asarray(one, int) - np.asarray(other, int)
        assert np.abs(differences).max() <= 1  # the same file, rounded
    assert "direction 1" in with_torch("common/explore.py", "traverse", MODEL)


@pytest.mark.parametrize("objective", ["bce", "wgan-gp", "r3gan", "began"])
def test_objectives_with_and_without_gradients_of_gradients(objective):
    words = ["--dry-run", "--preset", "quick", "--run-dir", "run"]
    assert "done" in with_torch("mnist_gan/train.py", *words, "--objective", objective)
