"""Model files from strangers: nothing in them runs, and nothing is read elsewhere."""

from pathlib import Path

import h5py
import hostile
import pytest
from conftest import ROOT
from test_gan import quick_models, tutorial_models

from common import checkpoints, strangers
from common.errors import UserError

FILES = hostile.files()


def refused(path):
    """Load; expect a refusal of one line that names the file, and nothing that ran."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(UserError) as refusal:
        checkpoints.load_generator(path)
    sentence = str(refusal.value)
    assert path.name in sentence and "\n" not in sentence and "\x1b" not in sentence
    assert sorted(Path().rglob("*")) == before and not Path(hostile.RAN).exists()
    return sentence


@pytest.mark.parametrize("name", FILES)
def test_hostile_files_are_refused_before_anything_of_them_runs(name):
    sentence = refused(FILES[name]())
    _, _, kind = name.partition(": ")
    if kind in hostile.LAYERS and kind not in HARMLESS:
        assert "which could run code of its own" in sentence
    if " as " in kind and kind in hostile.SETTINGS:
        assert "which could run code of its own" in sentence


HARMLESS = (  # in what they name
    "this project's layer, any method",
    "weights of 256 GB that it does not hold",
    "models nested 300 deep",
)


def test_all_hostile_files_are_listed_with_their_sentences():
    listed = (ROOT / "docs" / "hostile_files.md").read_text()
    assert [line.split(" | ")[0][2:] for line in listed.splitlines()[7:]] == list(FILES)
    assert " | yes | " not in listed and "LOADED" not in listed


@pytest.mark.parametrize("kind", ["h5", "keras"])
def test_a_harmless_model_that_was_changed_loads(kind):
    """The files are refused for what they are, not because they were changed."""
    path = hostile.with_setting(kind, {"trainable": False})
    assert checkpoints.load_generator(path)[1] == 6


@pytest.mark.parametrize(
    "text",
    ["", "null", "3", "[]", "{}", '"text"', '{"config": 1}', "\udcff", "NaN",
     '{"class_name": "Sequential"}'],
)  # fmt: skip
def test_descriptions_that_are_none_are_refused(text):
    path = hostile.saved("h5")
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


def test_every_allowed_name_is_a_layer_of_keras():
    """And what may run code, or read files, is none of them."""
    from keras import layers

    assert all(isinstance(getattr(layers, n, None), type) for n in strangers.LAYERS - {
        "Model", "Functional", "Sequential"})  # fmt: skip
    assert not strangers.LAYERS & {"Lambda", "TFSMLayer", "StringLookup", "JaxLayer"}
