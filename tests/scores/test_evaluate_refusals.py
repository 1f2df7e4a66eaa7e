"""Invalid input of `common/evaluate.py`: one error message, no files."""

import json
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from evaluated import FEW, FIRST, RUN, choosing, of_classes, save
from helpers import refused, run_script
from keras import layers
from PIL import Image

from common.evaluate import main

pytestmark = pytest.mark.usefixtures("one_classifier")


def toy_run(data):
    Path("toy").mkdir()
    record = {"script": "toy_gan/train_points.py", "options": {"epochs": 1},
              "data": {"fingerprint": ""}}  # fmt: skip
    Path("toy/options.json").write_text(json.dumps(record))
    g_model = keras.Sequential([layers.Input((2,)), layers.Dense(2)])
    save(g_model, "toy/generator_model_001.h5")


def other_data(data):
    record = json.loads((RUN / "options.json").read_text())
    record["data"]["fingerprint"] = "another"
    (RUN / "options.json").write_text(json.dumps(record))


def pictures(data, n=19):
    Path("pictures").mkdir()
    for i in range(n):
        Image.new("L", (28, 28), i).save(f"pictures/{i}.png")


def coloured(data):
    g_model = keras.Sequential(
        [layers.Input((2,)), layers.Dense(3072, "sigmoid"), layers.Reshape((32, 32, 3))]
    )
    save(g_model, "coloured.h5")


MODEL = str(RUN / FIRST)


INVALID = {
    "nothing": ([], None, "got nothing"),
    "a model and images": ([MODEL, "--images", "runs"], None, "got both"),
    "no such model": (["nope/model.h5"], None, "nope/model.h5"),
    "no such name": (["nope.h5"], None, "nope.h5"),
    "a discriminator": ([str(RUN / "discriminator_model_001.h5")], None, "discriminator"),
    "a toy run": (["toy"], toy_run, "not a generator of images"),
    "a folder that is no run": (["runs"], None, "not a run folder"),
    "a run without models": (
        [str(RUN)],
        lambda data: [path.unlink() for path in RUN.glob("*.h5")],
        "train longer",
    ),
    "a run on other images": ([MODEL], other_data, "--data"),
    "too few": ([MODEL, "-n", "19"], None, "at least 20"),
    "too few pictures": (
        ["--images", "pictures", "--data", "digits"], pictures, "pictures, found 19"
    ),
    "no pictures": (["--images", str(RUN)], None, "no readable pictures"),
    "no such pictures": (["--images", "nope"], None, "nope"),
    "an export that is there": ([MODEL, "--export", "runs"], None, "--export runs"),
    "an export of images": (["--images", "runs", "--export", "x"], None, "--export"),
    "unknown features": ([MODEL, "--features", "magic"], None, "--features magic"),
    "features that are missing": ([MODEL, "--features", "a.pb"], None, "a.pb"),
    "a run folder in use": ([MODEL, *FEW, "--run-dir", "runs"], None, "is not empty"),
    "classes that are not there": (
        ["classes.h5", "--data", "synthetic"],
        lambda data: save(of_classes(np.zeros((10, 28, 28))), "classes.h5"),
        "classes is 10, that of synthetic is 2",
    ),
    "a folder that cannot be written": (
        [MODEL], lambda data: Path(RUN, ".probe").mkdir(), "--run-dir"
    ),
    "too few real images": (
        ["few.h5", "--data", "few.npz"],
        lambda data: (
            np.savez("few.npz", np.zeros((30, 28, 28), "uint8")),
            save(choosing(np.zeros((3, 28, 28), "uint8")), "few.h5"),
        ),
        "at least 40 images, found 30",
    ),
    "images of another shape": (["coloured.h5", "--data", "digits"], coloured, "--data"),
    "no such data": ([MODEL, "--data", "nope.npz"], None, "nope.npz"),
}  # fmt: skip


@pytest.mark.parametrize("case", INVALID)
def test_bad_input_gets_one_message_and_leaves_nothing(run, data, capsys, case):
    words, make, expected = INVALID[case]
    if make:
        make(data)
    before = sorted(Path().rglob("*"))
    assert expected in refused(capsys, main, *words)
    assert sorted(Path().rglob("*")) == before


def test_a_missing_split_is_an_error(run, place, capsys):
    words = [run / FIRST, "--data", place / "no_test.npz", "--split", "test", *FEW]
    assert "no held-out images" in refused(capsys, main, *words)


def test_help_answers_at_once():
    started = time.time()
    answer = run_script("common/evaluate.py", "--help")
    assert answer.returncode == 0 and "MODEL | RUN | --images DIR" in answer.stdout
    assert time.time() - started < 3  # 0.3 s where nothing else runs
