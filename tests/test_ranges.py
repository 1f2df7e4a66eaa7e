"""The range of a generator's images: by its last layers, checked, or by --range."""

from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import refused
from keras import layers
from PIL import Image

from common import evaluate, explore, generate, plotting
from common.checkpoints import load_generator
from common.exploring.subject import Subject
from common.sampling import generate_images, image_range
from common.scores.scorer import to_bytes

RAMP = np.linspace(0, 1, 256)  # from black to white
INSIDE = np.clip(RAMP, 1e-4, 1 - 1e-4)  # sigmoid and tanh do not reach their limits
TANH, SIGMOID = np.arctanh(2 * INSIDE - 1), np.log(INSIDE / (1 - INSIDE))
RAMPS = {  # name -> outputs of the Dense layer, layers behind it, --range
    "tanh": (TANH, [layers.Activation("tanh")], None),
    "sigmoid": (SIGMOID, [layers.Activation("sigmoid")], None),
    "tanh in bytes": (
        TANH, [layers.Activation("tanh"), layers.Rescaling(127.5, 127.5)], None),
    "tanh in 0..1": (TANH, [layers.Activation("tanh"), layers.Rescaling(0.5, 0.5)], None),
    "sigmoid in bytes": (
        SIGMOID, [layers.Activation("sigmoid"), layers.Rescaling(255)], None),
    "hard_tanh": (2 * RAMP - 1, [layers.Activation("hard_tanh")], None),
    "linear in 0..1": (RAMP, [layers.Activation("linear")], None),
    "tanh, then float32": (
        TANH, [layers.Activation("tanh"), layers.Activation("linear")], None),
    "linear in -1..1": (2 * RAMP - 1, [], "-1..1"),
    "linear in bytes": (255 * RAMP, [], "0..255"),
    "tanh of other images": (
        TANH, [layers.Activation("tanh"), layers.Rescaling(2)], "-1..1"),
}  # fmt: skip


def saved(name, shape=(16, 16, 1)):
    values, others, _ = RAMPS[name]
    values = np.repeat(values, shape[-1])
    dense = layers.Dense(values.size, kernel_initializer="zeros")
    model = keras.Sequential([keras.Input((4,)), dense, layers.Reshape(shape), *others])
    dense.bias.assign(values)
    model.save("ramp.keras")
    return "ramp.keras"


def options_of(value_range):
    return [f"--range={value_range}"] if value_range else []


@pytest.mark.parametrize("name", RAMPS)
def test_a_ramp_is_drawn_as_a_ramp(capsys, name):
    path, value_range = saved(name), RAMPS[name][-1]
    if value_range:
        assert "--range" in refused(capsys, generate.main, path)
    words = ["-n", "1", "--images", "singles", "--out", "grid.png"]
    generate.main([path, *words, *options_of(value_range)])
    pixels = np.asarray(Image.open("singles/0000.png")).ravel()
    expected = np.clip(RAMP * 2 - 0.5, 0, 1) if "other" in name else RAMP
    np.testing.assert_allclose(pixels / 255, expected, atol=1.01 / 255)


@pytest.mark.parametrize("name", RAMPS)
def test_scores_and_explorations_have_the_same_pixels(name):
    value_range = RAMPS[name][-1]
    path = saved(name, (8, 32, 3))
    subject = Subject(path, value_range=value_range)
    z = subject.latent_vectors(2, seed=0)
    pixels = subject.to_bytes(subject.generate(z))
    low, high = image_range(subject.g_model)
    assert (low, high) == (subject.low, 1) and low in (0, -1)
    images = generate_images(load_generator(path, value_range)[0], z)
    assert np.array_equal(pixels, to_bytes((images - low) / (high - low)))  # the scorer's
    assert image_range(keras.models.clone_model(subject.g_model)) == (low, high)
    if "other" not in name:
        grey = pixels[0].reshape(256, 3)
        assert np.abs(grey - 255 * RAMP[:, np.newaxis]).max() <= 1.01


def test_the_grid_of_a_colour_generator_is_the_ramp():
    path = saved("tanh in bytes", (8, 32, 3))
    generate.main([path, "--vector", "0", "--out", "grid.png"])
    grid = np.asarray(Image.open("grid.png"))[..., 0]
    assert {*np.unique(grid)} >= {*range(1, 255)}


def test_every_command_names_the_option_and_takes_it(capsys):
    path = saved("linear in bytes")
    assert "0 to 255" in refused(capsys, evaluate.main, path, "--data", "digits")
    assert "--range" in refused(capsys, explore.main, "interpolate", path)
    explore.main(["interpolate", path, "--range=0..255", "--run-dir", "explored"])
    assert any(Path("explored").glob("*.png"))
    assert "--range" in refused(capsys, generate.main, path, "--range=0..2")


def test_discriminator_gets_images_in_the_range_of_the_file(monkeypatch):
    outputs = []
    monkeypatch.setattr(
        plotting, "save_captioned_grid", lambda images, texts, *_: outputs.extend(texts)
    )
    mean = [layers.AveragePooling2D(16), layers.Flatten()]
    keras.Sequential([keras.Input((16, 16, 1)), *mean]).save("mean.keras")
    path = saved("sigmoid in bytes")
    generate.main([path, "-n", "1", "--discriminator", "mean.keras", "--out", "g.png"])
    assert float(outputs[0]) == pytest.approx(127.5, abs=0.1)
