"""Untrusted model files: nothing in them runs, and no other file is read."""

import json
from inspect import signature
from pathlib import Path

import h5py
import hostile
import pytest
from helpers import ROOT, slow
from hostile_layers import LAYERS, RAN, SETTINGS, saved, with_setting
from small_gans import quick_models, tutorial_models

import celeba_gan.train as celeba
import cifar10_gan.train as cifar10
import mnist_gan.train as mnist
from common import checkpoints
from common.basics.errors import UserError
from common.exploring.subject import Subject
from common.options.rules import TAKE_LABELS
from common.safety import model_files

FILES = hostile.files()


def refused(path):
    """Load; expect a message of one line that names the file, and that nothing ran."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(UserError) as error:
        checkpoints.load_generator(path)
    message = str(error.value)
    assert path.name in message and "\n" not in message and "\x1b" not in message
    assert sorted(Path().rglob("*")) == before and not Path(RAN).exists()
    return message


@pytest.mark.parametrize("name", FILES)
def test_hostile_files_are_refused_before_anything_of_them_runs(name):
    message = refused(FILES[name]())
    _, _, kind = name.partition(": ")
    if kind in LAYERS and kind not in HARMLESS:
        assert "could run code" in message
    if " as " in kind and kind in SETTINGS:
        assert "could run code" in message


HARMLESS = (  # in what they name
    "layer of this project with the name of a method",
    "layer of 256 GB without weights in the file",
    "models nested 300 deep",
    "layer with additional weights (LoRA)",
)


def test_all_hostile_files_are_listed_with_their_sentences():
    listed = (ROOT / "docs" / "hostile_files.md").read_text()
    assert [line.split(" | ")[0][2:] for line in listed.splitlines()[7:]] == list(FILES)
    assert " | yes | " not in listed and "LOADED" not in listed


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_a_harmless_model_that_was_changed_loads(kind):
    """The files are rejected for their content, not because they were changed."""
    path = with_setting(kind, {"trainable": False})
    assert checkpoints.load_generator(path)[1] == 6


@pytest.mark.parametrize(
    "text",
    ["", "null", "3", "[]", "{}", '"text"', '{"config": 1}', "\udcff", "NaN",
     '{"class_name": "Sequential"}'],
)  # fmt: skip
def test_descriptions_that_are_none_are_refused(text):
    path = saved("h5")
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = text.encode("utf-8", "surrogateescape")
    refused(path)


@pytest.mark.parametrize("models", [tutorial_models, quick_models])
@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_the_projects_own_models_load(tmp_path, models, ending):
    for model in models()[:2]:
        path = tmp_path / f"{model.name}.{ending}"
        model.save(path)
        checkpoints.load_model(path)


@pytest.mark.parametrize(
    "train, shape",
    [(mnist, (28, 28, 1)), slow(cifar10, (32, 32, 3)), slow(celeba, (32, 32, 3))],
)
def test_every_architecture_is_on_the_list(train, shape):
    for name, (define_g, define_d, _) in train.ARCHITECTURES.items():
        takes = signature(define_g).parameters.get("out_shape")
        is_free = takes is not None and takes.kind is takes.POSITIONAL_OR_KEYWORD
        words_of_g = [8, shape] if is_free else [8]
        for define, words in ((define_g, words_of_g), (define_d, [shape])):
            more = {"n_classes": 10} if name in TAKE_LABELS else {}
            described = json.loads(define(*words, **more).to_json())
            described.pop("compile_config", None)
            model_files.check_layers(described, Path(name))


def test_every_allowed_name_is_a_layer_of_keras():
    """None of them can run code or read files."""
    from keras import layers

    assert all(isinstance(getattr(layers, n, None), type) for n in model_files.LAYERS - {
        "Model", "Functional", "Sequential"})  # fmt: skip
    assert not model_files.LAYERS & {"Lambda", "TFSMLayer", "StringLookup", "JaxLayer"}


def test_nothing_of_a_file_is_read_before_it_is_checked(monkeypatch):
    def read(path):
        raise AssertionError("read before it was checked")

    monkeypatch.setattr(checkpoints, "origin_of", read)
    monkeypatch.setattr(checkpoints, "class_names", read)
    with pytest.raises(UserError, match="could run code"):
        Subject(FILES[".h5: Lambda layer with marshalled code"]())
