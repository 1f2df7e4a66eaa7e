"""Generators that Keras 2 saved: they make the images that Keras 2 makes, or an error."""

import json
import subprocess
import zipfile
from pathlib import Path

import h5py
import hostile
import make_keras2
import numpy as np
import pytest
from helpers import ROOT, refused
from hostile_layers import RAN, members_of, write_zip

from benchmarks.contenders import OTHER_PYTHON
from common import checkpoints, generate
from common.basics.errors import UserError
from common.sampling import generate_images

MADE = json.loads((ROOT / "tests" / "keras2.json").read_text())
CASES = [(f.__name__, "h5") for f in make_keras2.MODELS] + [("nested", "keras")]
HOSTILE = hostile.files()


def written(name, kind="h5", change=lambda config: None, version=MADE["keras_version"]):
    """A file as tf_keras writes it, its config changed."""
    made, path = MADE[name][kind], Path(f"{name}.{kind}")
    config = json.loads(json.dumps(made["config"]))
    change(config)
    with h5py.File(path if kind == "h5" else "model.weights.h5", "w") as file:
        root = file.create_group("model_weights") if kind == "h5" else file
        for place, shape, number in made["weights"]:
            root[place] = make_keras2.weight(number, shape)
        if kind == "h5":
            file.attrs["keras_version"] = version.encode()
            file.attrs["model_config"] = json.dumps(config).encode()
            root.attrs["layer_names"] = [layer.encode() for layer in made["layers"]]
            for layer, weights in made["layers"].items():
                group = root.require_group(layer)
                group.attrs["weight_names"] = [weight.encode() for weight in weights]
    if kind == "keras":
        described = json.dumps({"keras_version": version})
        weights = Path("model.weights.h5").read_bytes()
        members = {"metadata.json": described, "config.json": json.dumps(config)}
        write_zip(path, {**members, "model.weights.h5": weights})
    return path


def images_of(path):
    g_model, latent_dim, value_range = checkpoints.load_generator(path)
    assert (latent_dim, value_range) == (make_keras2.LATENT_DIM, (-1, 1))
    return generate_images(g_model, make_keras2.latent_vectors())


def assert_equal(images, expected, name):
    tolerance = 1e-2 if name == "mixed" else 1e-5  # mixed_float16
    np.testing.assert_allclose(images, expected, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_images_are_those_that_keras_2_computes(name, kind):
    images = images_of(written(name, kind))
    assert_equal(images.ravel()[make_keras2.PIXELS], MADE[name]["pixels"], name)


def as_in_2018(config):
    """Keras 2.2.2: no InputLayer, no settings around the layers, no modules."""
    layers = config["config"] = config["config"]["layers"][1:]
    for layer in layers:
        layer["config"].pop("groups", None)
        for value in layer["config"].values():
            if isinstance(value, dict):
                del value["module"], value["registered_name"]
                value["config"]["dtype"] = "float32"  # TensorFlow 1.13


def test_a_file_of_2018_is_read():
    images = images_of(written("dcgan", "h5", as_in_2018, "2.2.2"))
    assert_equal(images.ravel()[make_keras2.PIXELS], MADE["dcgan"]["pixels"], "dcgan")


def test_a_conditional_generator_makes_the_requested_class():
    path = written("conditional")
    generate.main([str(path), "--label", "3", "-n", "2", "--out", "grid.png"])
    assert Path("grid.png").exists()


def settings_of(config, name):
    return next(x for x in config["config"]["layers"] if x["class_name"] == name)[
        "config"
    ]


@pytest.mark.parametrize("kind", ["h5", "keras"])
@pytest.mark.parametrize("setting", [{"groups": 2}, {"activation": "hard_sigmoid"}])
def test_what_keras_3_cannot_compute_is_an_error_with_the_version(capsys, setting, kind):
    def change(config):
        model = config if kind == "h5" else config["config"]["layers"][1]
        settings_of(model, "Conv2DTranspose").update(setting)

    path = written("dcgan" if kind == "h5" else "nested", kind, change, "2.15.0")
    assert (
        "saved by Keras 2.15.0: load it there and save it as .keras, or rebuild the "
        "model and load its weights"
    ) in refused(capsys, generate.main, path)


def claim_keras_2(path):
    """Let a file say that Keras 2 saved it, if it is one."""
    if h5py.is_hdf5(path) and not zipfile.is_zipfile(path):
        with h5py.File(path, "a") as file:
            file.attrs["keras_version"] = b"2.15.0"
    elif zipfile.is_zipfile(path) and "metadata.json" in (members := members_of(path)):
        members["metadata.json"] = b'{"keras_version": "2.15.0"}'
        write_zip(path, members)
    return path


@pytest.mark.parametrize("name", [
    name for name in HOSTILE if "zip" not in name and "pickle" not in name
    and "two configs" not in name])  # fmt: skip
def test_hostile_files_that_claim_to_be_of_keras_2_are_rejected(name):
    path = claim_keras_2(HOSTILE[name]())
    before = sorted(Path().rglob("*"))
    with pytest.raises(UserError) as error:
        checkpoints.load_generator(path)
    assert path.name in str(error.value)
    assert sorted(Path().rglob("*")) == before and not Path(RAN).exists()


def test_sizes_hold_for_the_converted_config():
    def enlarge(config):
        settings_of(config, "Dense")["units"] = 10**9

    with pytest.raises(UserError, match=r"outputs 1000000000 numbers|[Ss]hape"):
        checkpoints.load_generator(written("dcgan", "h5", enlarge))


def test_tf_keras_itself_makes_the_same_images(tmp_path):
    if not OTHER_PYTHON.exists():
        pytest.skip("tf-keras is not installed: `make bench` makes benchmarks/.venv")
    words = [OTHER_PYTHON, ROOT / "tests" / "make_keras2.py", tmp_path]
    subprocess.run(words, check=True, capture_output=True)
    for define in make_keras2.MODELS:
        name = define.__name__
        for kind in ("h5", "keras"):
            images = images_of(tmp_path / f"{name}.{kind}")
            assert_equal(images, np.load(tmp_path / f"{name}.npy"), name)
