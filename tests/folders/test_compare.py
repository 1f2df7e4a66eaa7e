"""The comparison of all objectives."""

import csv
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from helpers import make_quick, refused
from PIL import Image

from mnist_gan import compare

RUN = Path("runs/mnist_gan/0001")


def test_invalid_options_are_rejected_before_any_training(capsys):
    main = compare.main
    assert "magic" in refused(capsys, main, "objectives", "--only", "bce", "magic")
    assert "invalid choice" in refused(capsys, main, "magic")
    assert "not a folder" in refused(capsys, main, "objectives", "--resume", "nowhere")
    assert not Path("runs").exists()


def test_the_gallery_shows_the_images_of_every_objective():
    rows = [{"name": name, "FD": "1.0"} for name in ("bce", "wgan")]
    black, white = np.ones((24, 28, 28, 1)), np.zeros((24, 28, 28, 1))
    compare.save_gallery("gallery.png", rows, [white, black])
    with Image.open("gallery.png") as picture:
        dark = np.asarray(picture.convert("L")) < 10
    left, right = np.array_split(dark, 2, axis=1)
    assert left.mean() < 0.02 and 0.4 < right.mean() < 0.9


@pytest.mark.slow
def test_objectives_are_trained_scored_drawn_and_the_comparison_resumed(
    capfd, monkeypatch
):
    few = "--preset quick --steps-per-epoch 20 --critic-steps 2"
    table = {name: f"{few} --objective {name}" for name in ("wgan", "wgan-gp")}
    monkeypatch.setitem(compare.TABLES, "objectives", table)
    of_100 = partial(compare.classifier_scorer, n=100)
    monkeypatch.setattr(compare, "classifier_scorer", of_100)
    make_quick(monkeypatch)
    words = ["objectives", "--data", "digits", "--only", "wgan", "wgan-gp"]
    compare.main([*words, "--epochs", "1"])
    with (RUN / "objectives.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    assert [row["name"] for row in rows] == ["wgan", "wgan-gp"]
    name = "FD (scikit-learn digit classifier), n = 100"
    assert all(float(row[name]) > 0 for row in rows)
    for name in ("objectives.png", "critic_weights.png"):
        with Image.open(RUN / name) as picture:
            picture.load()
    printed = capfd.readouterr().out
    assert printed.count("done: see") == 2 and "| wgan    |" in printed
    compare.main([*words, "--epochs", "1", "--resume", str(RUN)])
    assert "done: see" not in capfd.readouterr().out  # nothing was left to train
    printed = refused(capfd, compare.main, *words, "--seed", "2", "--resume", RUN)
    assert "--data digits --seed 1" in printed
