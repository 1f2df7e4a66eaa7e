"""Run `mnist_gan/train.py` as briefly as possible, and compare what it saves."""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from helpers import ROOT

from common.checkpoints import load_model

TINY = ["--data", "digits", "--batch-size", "8", "--steps-per-epoch", "2", "--seed", "5"]
RUN = Path("runs/mnist_gan/0001")
QUICK = [*TINY, "--preset", "quick", "--save-every", "1"]
SCRIPT = str(ROOT / "mnist_gan" / "train.py")


def saved_weights(run, epoch):
    models = [load_model(run / f"{kind}_model_{epoch:03d}.h5") for kind in KINDS]
    return np.concatenate([w.numpy().ravel() for m in models for w in m.weights])


KINDS = ("generator", "discriminator")


def assert_same_results(one, other, epoch):
    assert np.array_equal(saved_weights(one, epoch), saved_weights(other, epoch))
    for name in ("history.csv", f"generated_plot_e{epoch:03d}.png", "loss_curves.png"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def start_training(*words):
    return subprocess.Popen(
        [sys.executable, SCRIPT, *TINY, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def wait_for(path, process):
    for _ in range(600):
        if path.exists():
            return
        assert process.poll() is None
        time.sleep(0.1)
    raise TimeoutError(path)
