"""`--limit N`: a training that sees the first N images of its data set only."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from helpers import make_quick, refused, slow
from made_pictures import save
from PIL import Image

from celeba_gan.train import main as celeba
from cifar10_gan.train import main as cifar10
from common.basics.errors import UserError
from common.checkpoints import origin_of
from common.data import packed, packing
from common.data.batches import batches_of
from common.data.cifar10 import load_images as load_cifar10
from common.data.datasets import Scaled
from common.data.mnist import load_images
from common.data.packed import PackedImages, open_packed
from common.data.packing import pack
from common.evaluate import main as evaluate
from common.scores.references import reference_of
from mnist_gan.train import main

DATA_DIR = os.environ.get("GAN_DATA_DIR")
SHORT = ["--batch-size", "8", "--steps-per-epoch", "2", "--epochs", "1", "--seed", "1",
         "--architecture", "dense"]  # fmt: skip


def packed_file(name, n=80, n_equal=80, **keywords):
    """Pack n pictures, of which the first n_equal are the same every time."""
    for i in range(n):
        rng = np.random.default_rng([i, i >= n_equal])
        pixels = rng.integers(0, 256, (32, 32, 3)).astype("uint8")
        save(f"{name}/{i:03}.png", Image.fromarray(pixels))
    return pack(name, f"{name}.hdf5", size=32, **keywords)


@pytest.fixture
def streamed(monkeypatch):
    """Keep 40 images of 32x32 in their file, and 39 in memory; chunks have 8."""
    monkeypatch.setattr(packed, "MAX_IN_MEMORY_BYTES", 40 * 32 * 32 * 3)
    monkeypatch.setattr(packing, "CHUNK_BYTES", 8 * 32 * 32 * 3)


def record_of(run):
    return json.loads(Path(run, "options.json").read_text())


def fingerprint(images):
    return images.describe()["fingerprint"]


def test_the_first_images_are_those_of_a_smaller_set():
    every = load_images("digits")
    np.savez("few.npz", x_train=every.pixels[:100], y_train=every.labels[:100])
    few = every.first(100)
    assert np.array_equal(few.pixels, every.pixels[:100])
    assert np.array_equal(few.labels, every.labels[:100]) and few.name == "digits"
    assert fingerprint(few) == fingerprint(load_images("few.npz")) != fingerprint(every)
    assert few.describe()["shape"] == [100, 28, 28, 1]
    assert every.first(None) is every and every.first(1500) is every
    with pytest.raises(UserError, match="--limit 1501: digits has 1500 images"):
        every.first(1501)


def test_of_a_packed_file_as_many_are_in_memory_as_fit(streamed):
    path = packed_file("faces")
    every = open_packed(path)
    assert isinstance(every.pixels, PackedImages)
    few, more = every.first(39), every.first(50)
    assert isinstance(few.pixels, np.ndarray) and isinstance(more.pixels, PackedImages)
    for images in (few, more):
        n = len(images.pixels)
        assert images.pixels.shape == (n, 32, 32, 3) and n in (39, 50)
        assert np.array_equal(images.pixels[:], every.pixels[:n])
    with pytest.raises(IndexError):
        more.pixels[[50]]
    marks = {fingerprint(x) for x in (every, few, more, every.first(51))}
    assert len(marks) == 4 and fingerprint(open_packed(path).first(50)) in marks
    assert fingerprint(few) == fingerprint(open_packed(packed_file("few", 39)))


def test_streamed_batches_have_the_first_images_only(streamed):
    few = open_packed(packed_file("faces")).first(50)
    batches = batches_of(Scaled(few.pixels, np.float32), 10, seed=1)
    one_pass = np.concatenate([batches[i][0] for i in range(5)])
    found = sorted(image.tobytes() for image in one_pass.astype("uint8"))
    assert found == sorted(image.tobytes() for image in few.pixels[:])


@pytest.mark.parametrize("limit", [39, slow(50)])
def test_a_run_on_a_packed_file_sees_the_first_images_only(streamed, capsys, limit):
    """Two files are equal in these, and in no other: so are the runs."""
    for name in ("one", "other"):
        path = packed_file(name, 80, n_equal=limit)
        words = [
            "--data",
            path,
            "--size",
            "32",
            "--limit",
            limit,
            "--run-dir",
            f"of_{name}",
        ]
        celeba([*SHORT, *map(str, words)])
        assert f"data: {limit} images of {name}\n" in capsys.readouterr().out
    shapes = [record_of(f"of_{name}")["data"]["shape"] for name in ("one", "other")]
    assert shapes == [[limit, 32, 32, 3]] * 2
    for name in ("history.csv", "generated_plot_e001.png"):
        one, other = (Path(run, name).read_bytes() for run in ("of_one", "of_other"))
        assert one == other


@pytest.mark.parametrize("train", [main, slow(cifar10), slow(celeba)])
def test_each_folder_takes_it(train, capsys):
    train(["--dry-run", "--seed", "1", "--limit", "40", "--run-dir", "run"])
    assert "data: 40 images of synthetic" in capsys.readouterr().out
    record = record_of("run")
    assert record["options"]["limit"] == 40 and record["data"]["shape"][0] == 40
    few, _ = reference_of(record, "run")
    assert len(few.pixels) == 40 and "the first 40 of" in capsys.readouterr().out


def test_resuming_and_scoring_take_the_same_images(capsys, monkeypatch):
    make_quick(monkeypatch)
    every = load_images("digits")
    np.savez("mine.npz", x_train=every.pixels, y_train=every.labels)
    words = ["--data", "mine.npz", "--limit", "100", "--run-dir", "run"]
    main([*SHORT, *words])
    message = refused(capsys, main, "--resume", "run", "--limit", 99, "--epochs", 2)
    assert "--limit 99 (the run's: 100)" in message
    main(["--resume", "run", "--epochs", "2"])
    assert "data: 100 images of mine" in capsys.readouterr().out
    model = "run/generator_model_002.h5"
    assert origin_of(model)["options"]["limit"] == 100
    evaluate(["run", "--repeats", "1"])
    printed = capsys.readouterr().out
    assert "real images: the first 100 of mine, as in the training" in printed
    assert "n = 50 per set" in printed  # two halves of the 100
    (line, _) = Path("run/metrics.jsonl").read_text().splitlines()
    marks = {
        json.loads(line)["protocol"]["fingerprint"],
        record_of("run")["data"]["fingerprint"],
    }
    assert marks == {fingerprint(load_images("digits").first(100))}


def test_a_limit_that_is_no_number_is_reported(capsys):
    main([*SHORT, "--data", "digits", "--limit", "100", "--run-dir", "run"])
    record = record_of("run")
    for limit in (True, "100", 0, 1.5):
        record["options"]["limit"] = limit
        with pytest.raises(UserError, match="its record of the training images is not"):
            reference_of(record, "run")


@pytest.mark.parametrize(
    "words, expected",
    [
        ("--data digits --limit 1501 --batch-size 8", "digits has 1500 images"),
        ("--data digits --limit 3 --batch-size 8", "a step takes 4 real images"),
        ("--data digits --limit 9 --objective wgan --batch-size 8", "takes 20 real"),
        ("--preset quick --limit 15", "(--preset quick sets --batch-size)"),
        (
            "--data digits --limit 8 --batch-size 8 --conditional",
            "have none of 8, 9: use",
        ),
    ],
)
def test_limits_that_do_not_fit_are_refused(capsys, words, expected):
    assert expected in refused(capsys, main, *words.split())
    assert not Path("runs").exists()


def test_held_out_images_are_not_limited():
    record = {"script": "mnist_gan/train.py", "options": {"data": "digits", "limit": 50}}
    record["data"] = load_images("digits").first(50).describe()
    train, test = reference_of(record, "run")
    assert (len(train.pixels), len(test.pixels)) == (50, 297)
    assert len(load_cifar10("synthetic").first(7).pixels) == 7


@pytest.mark.slow
@pytest.mark.skipif(not DATA_DIR, reason="the real images are not here")
def test_the_first_faces_of_celeba(monkeypatch, capsys):
    """The set beside the checkout has 6,000, those of the results in the README."""
    monkeypatch.setenv("GAN_DATA_DIR", DATA_DIR)
    words = [*SHORT, "--size", "32", "--limit"]
    celeba([*words, "6000", "--run-dir", "six"])
    celeba([*words, "500", "--run-dir", "few"])
    printed = capsys.readouterr().out
    assert "data: 6000 images of img_align_celeba" in printed
    assert "data: 500 images of img_align_celeba" in printed
