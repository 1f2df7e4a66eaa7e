"""Fixtures of the tests of scores: a set of digits, a run on it, its classifier."""

import json
import os
import shutil

import numpy as np
import pytest
from evaluated import RUN, SECOND, choosing, save
from helpers import make_quick
from sklearn.utils import shuffle

from common.checkpoints import save_models
from common.data.mnist import load_images
from common.scores import memorization
from mnist_gan import quick


@pytest.fixture(scope="session")
def place(tmp_path_factory):
    """Return a folder with .npz files of 900 training and 300 held-out digits."""
    place = tmp_path_factory.mktemp("place")
    parts = [load_images("digits", split) for split in ("train", "test")]
    pixels, labels = (
        np.concatenate(columns) for columns in zip(*[p[:2] for p in parts], strict=True)
    )
    pixels, labels = shuffle(pixels[..., 0], labels, random_state=0)
    np.savez(place / "mine.npz", x_train=pixels[:900], y_train=labels[:900],
             x_test=pixels[900:1200], y_test=labels[900:1200])  # fmt: skip
    np.savez(place / "no_test.npz", x_train=pixels[:900], y_train=labels[:900])
    np.save(place / "fresh.npy", pixels[1200:])
    return place


@pytest.fixture
def one_classifier(own_folder, tmp_path_factory, monkeypatch):
    """Share a classifier, trained once, among all tests and workers."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras_of_scores"))
    make_quick(monkeypatch)
    monkeypatch.setattr(memorization, "N_SHOWN", 2)  # plotting takes longer than scoring


@pytest.fixture
def data(place):
    return str(place / "mine.npz")


@pytest.fixture(scope="session")
def first_run(place):
    """Return a run of two epochs: first noise, then images as good as real ones."""
    data, folder = str(place / "mine.npz"), place / "run"
    folder.mkdir()
    record = {
        "script": "mnist_gan/train.py",
        "options": {"data": data, "epochs": 2},
        "data": load_images(data).describe(),
    }
    (folder / "options.json").write_text(json.dumps(record))
    save_models(folder, 1, quick.define_generator(10), quick.define_discriminator())
    save(choosing(np.load(place / "fresh.npy")), folder / SECOND)
    return folder


@pytest.fixture
def run(first_run):
    shutil.copytree(first_run, RUN)
    return RUN
