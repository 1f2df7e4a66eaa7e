"""Model files from strangers: nothing in them runs, and nothing is read elsewhere.

Each file is made here as the published advisories on Keras's loading describe them: a
Lambda layer (CVE-2024-3660), any module's function in a .keras file (CVE-2025-1550), in
an .h5 file whatever `safe_mode` says (CVE-2025-9905, CVE-2025-9906), a vocabulary read
from any path (CVE-2025-12058), numbers in other files, archives that point outside.
"""

import io
import json
import os
import pickle
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from test_gan import quick_models, tutorial_models

from common import checkpoints, strangers
from common.errors import UserError

layers = keras.layers
RAN = "code_ran"  # what hostile code would leave in the working directory


def generator():
    return keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8 * 8 * 1),
            layers.Reshape((8, 8, 1)),
            layers.Activation("sigmoid"),
        ]
    )


@pytest.fixture(params=["h5", "keras"])
def saved(request, tmp_path):
    """A harmless generator in a file of either kind, and how its description changes."""
    path = tmp_path / f"model.{request.param}"
    generator().save(path)

    def change(function):
        if path.suffix == ".h5":
            with h5py.File(path, "a") as file:
                config = json.loads(file.attrs["model_config"])
                function(config)
                file.attrs["model_config"] = json.dumps(config)
        else:
            with zipfile.ZipFile(path) as archive:
                members = {name: archive.read(name) for name in archive.namelist()}
            config = json.loads(members["config.json"])
            function(config)
            members["config.json"] = json.dumps(config).encode()
            write_zip(path, members)
        return path

    return change


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def described(config, kind):
    (found,) = [x for x in config["config"]["layers"] if x["class_name"] == kind]
    return found


def layer(name, module="keras.layers", **config):
    return {"module": module, "class_name": name, "registered_name": None,
            "config": {"name": "hostile", **config}}  # fmt: skip


TOUCH = {"module": "os", "class_name": "function", "config": "system",
         "registered_name": "system"}  # fmt: skip
CODE = {"value": "4wAAAAAAAAAAAAAAAAEAAAADAAAA", "defaults": None, "closure": None}
LAMBDA = {"class_name": "__lambda__", "config": CODE}
HOSTILE = {
    "Lambda, marshalled": layer("Lambda", function=LAMBDA, arguments={}),
    "Lambda, old tuple": layer(
        "Lambda", function=["4wAA", None, None], function_type="lambda", module="os"
    ),
    "Lambda of a function by name": layer("Lambda", function=TOUCH),
    "Lambda, no module": {"class_name": "Lambda", "config": {"function": "system"}},
    "any class of any module": layer("Popen", "subprocess", args=["touch", RAN]),
    "any function of any module": layer("system", "os", command=f"touch {RAN}"),
    "Keras's own helper": layer("get_file", "keras.utils", origin="http://127.0.0.1/"),
    "a module that looks like Keras": layer("Dense", "keras_evil.layers", units=1),
    "a name that was registered elsewhere": {
        **layer("Dense", units=1), "registered_name": "Evil>Dense"},
    "this project's name, another module": layer("Augment", "os"),
    "TensorFlow's saved model": layer("TFSMLayer", filepath="/nowhere"),
    "PyTorch's pickled module": layer("TorchModuleWrapper", module="gASV"),
    "JAX's function": layer("JaxLayer", call_fn=TOUCH),
    "a vocabulary of any path": layer("StringLookup", vocabulary="/etc/passwd"),
    "the same of texts": layer("TextVectorization", vocabulary="/etc/passwd"),
    "the same of numbers": layer("IntegerLookup", vocabulary="http://127.0.0.1:9/"),
    "a function as activation": layer("Activation", activation=TOUCH),
    "a function as initializer": layer("Dense", units=1, kernel_initializer=TOUCH),
    "a metric": layer("Dense", units=1, bias_regularizer=layer("Mean", "keras.metrics")),
    "in a layer around it": layer("TimeDistributed", layer=layer("Lambda")),
    "in a layer in a model": layer("Sequential", layers=[layer("Lambda")]),
    "a name that is no text": {"class_name": ["Dense"], "config": {}},
    "a lambda alone": LAMBDA,
    "a type": {"class_name": "__typespec__", "module": "os", "config": []},
}  # fmt: skip


def refused(path):
    """Load; expect a refusal of one line that names the file, and nothing that ran."""
    before = sorted(Path().rglob("*"))
    with pytest.raises(UserError) as refusal:
        checkpoints.load_generator(path)
    sentence = str(refusal.value)
    assert path.name in sentence and "\n" not in sentence and "\x1b" not in sentence
    assert sorted(Path().rglob("*")) == before
    return sentence


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_description_that_names_code_is_refused(saved, kind):
    path = saved(lambda c: c["config"]["layers"].insert(1, HOSTILE[kind]))
    assert "which could run code of its own" in refused(path)


@pytest.mark.parametrize("key", ["activation", "kernel_initializer", "dtype"])
@pytest.mark.parametrize("kind", ["any function of any module", "a lambda alone"])
def test_code_in_a_setting_of_a_layer_is_refused(saved, key, kind):
    path = saved(lambda c: described(c, "Dense")["config"].update({key: HOSTILE[kind]}))
    assert "which could run code of its own" in refused(path)


def test_real_lambda_layers_are_refused(tmp_path):
    """As Keras itself saves them, with marshalled Python code."""
    x = keras.Input((6,))
    y = layers.Lambda(lambda x: Path(RAN).touch() or x)(layers.Dense(64)(x))
    model = keras.Model(x, layers.Reshape((8, 8, 1))(y))
    Path(RAN).unlink(missing_ok=True)  # made while the model was
    for name in ("lambda.h5", "lambda.keras"):
        model.save(tmp_path / name)
        assert "Lambda, which could run code" in refused(tmp_path / name)


def test_a_harmless_model_that_was_changed_loads(saved):
    """The changes above are refused for what they are, not because of the change."""
    path = saved(lambda c: described(c, "Dense")["config"].update(trainable=False))
    assert checkpoints.load_generator(path)[1] == 6


@pytest.mark.parametrize("units", [10**6, 10**9, 10**14, -1, 1.5, "many", None])
def test_sizes_that_the_file_does_not_hold_take_no_memory(saved, units):
    path = saved(lambda c: described(c, "Dense")["config"].update(units=units))
    refused(path)


def test_images_that_no_memory_holds_are_refused(tmp_path):
    up = [layers.UpSampling2D(512), layers.UpSampling2D(512)]
    path = tmp_path / "huge.h5"
    keras.Sequential([layers.Input((6,)), *generator().layers, *up]).save(path)
    assert f"makes {8 * 8 * 512**4} numbers" in refused(path)


def test_descriptions_without_end_are_refused(saved, tmp_path):
    def nest(config):
        inner = layer("Dense", units=1)
        for _ in range(300):
            inner = layer("Sequential", layers=[inner])
        config["config"]["layers"].insert(1, inner)

    refused(saved(nest))
    with h5py.File(tmp_path / "deep.h5", "w") as file:
        file.attrs["model_config"] = "[" * 20_000
    assert "nested without end" in refused(tmp_path / "deep.h5")


@pytest.mark.parametrize(
    "text",
    ["", "null", "3", "[]", "{}", '"text"', '{"config": 1}', "\udcff", "NaN",
     '{"class_name": "Sequential"}'],
)  # fmt: skip
def test_descriptions_that_are_none_are_refused(tmp_path, text):
    path = tmp_path / "model.h5"
    generator().save(path)
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = text.encode("utf-8", "surrogateescape")
    refused(path)


def rewritten(path, name, make):
    """Put something else where a dataset of an .h5 file was."""
    generator().save(path)
    with h5py.File(path, "a") as file:
        found = []
        file.visititems(lambda at, x: found.append(at) if at.endswith(name) else None)
        del file[found[0]]
        make(file, found[0])
    return path


def secret(tmp_path):
    path = tmp_path / "secret"
    with h5py.File(path, "w") as file:
        file["kernel"] = np.ones((6, 64), "float32")
    return path


def virtual(file, at, source):
    layout = h5py.VirtualLayout((6, 64), "float32")
    layout[:] = h5py.VirtualSource(source, "kernel", (6, 64))
    file.create_virtual_dataset(at, layout)


WRITERS = {
    "an external link": (
        lambda file, at, other: file.__setitem__(at, h5py.ExternalLink(other, "kernel")),
        "link to elsewhere"),
    "a soft link": (
        lambda file, at, other: file.__setitem__(at, h5py.SoftLink("/nowhere")),
        "link to elsewhere"),
    "an external file": (
        lambda file, at, other: file.create_dataset(
            at, (6, 64), "float32", external=[(str(other), 0, 6 * 64 * 4)]),
        "in other files"),
    "a virtual dataset": (
        lambda file, at, other: virtual(file, at, other), "in other files"),
    "numbers that are not there": (
        lambda file, at, other: file.create_dataset(at, (10**6, 10**5), "float32",
                                                    chunks=(10, 10)), "and holds 0"),
    "a decompression bomb": (
        lambda file, at, other: file.create_dataset(
            at, data=np.zeros((500, 6400), "float32"), compression="gzip"),
        "declares 12800000 bytes"),
    "texts": (
        lambda file, at, other: file.create_dataset(at, data=["a"] * 3), "not numbers"),
    "pickles": (
        lambda file, at, other: file.create_dataset(
            at, data=np.frombuffer(pickle.dumps(print)[:20], "V20")), "not numbers"),
    "a type": (
        lambda file, at, other: file.__setitem__(at, np.dtype("float32")), "is a type"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_numbers_that_are_elsewhere_are_refused(tmp_path, kind, ending):
    write, why = WRITERS[kind]
    path = rewritten(
        tmp_path / "model.h5",
        "/kernel",
        lambda file, at: write(file, at, secret(tmp_path)),
    )
    if ending == "keras":
        numbers = path.read_bytes()
        path = tmp_path / "model.keras"
        generator().save(path)
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        write_zip(path, {**members, "model.weights.h5": numbers})
    assert why in refused(path)


def members_of(tmp_path):
    path = tmp_path / "model.keras"
    generator().save(path)
    with zipfile.ZipFile(path) as archive:
        return path, {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize(
    "name", ["../outside", "/tmp/outside", "assets/code.py", "assets/../../x", "a.tar"]
)
def test_archives_that_hold_more_are_refused(tmp_path, name):
    path, members = members_of(tmp_path)
    write_zip(path, {**members, name: b"print()"})
    assert "nothing else" in refused(path)


def test_archives_that_are_packed_or_hold_a_file_twice_are_refused(tmp_path):
    path, members = members_of(tmp_path)
    bomb = {**members, "config.json": b" " * 10**8}
    write_zip(path, bomb, zipfile.ZIP_DEFLATED)
    assert "packed" in refused(path)
    write_zip(path, {**members, "config.json": b" " * (strangers.MOST_TEXT + 1)})
    assert "larger than" in refused(path)
    write_zip(path, members)
    with pytest.warns(UserWarning), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", members["config.json"])
    assert "twice" in refused(path)
    link = zipfile.ZipInfo("config.json")
    link.external_attr = 0o120777 << 16
    members.pop("config.json")
    write_zip(path, members)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(path)


@pytest.mark.parametrize("missing", sorted(strangers.MEMBERS - {"metadata.json"}))
def test_archives_that_lack_a_file_are_refused(tmp_path, missing):
    path, members = members_of(tmp_path)
    del members[missing]
    refused(write_zip(path, members))


def test_weights_alone_and_pickles_are_refused(tmp_path):
    model = generator()
    model.save_weights(tmp_path / "only.weights.h5")
    assert "weights alone" in refused(tmp_path / "only.weights.h5")

    class Hostile:
        def __reduce__(self):
            return os.system, (f"touch {RAN}",)

    (tmp_path / "model.h5").write_bytes(pickle.dumps(Hostile()))
    refused(tmp_path / "model.h5")
    held = io.BytesIO()
    np.save(held, np.array([Hostile()]), allow_pickle=True)
    path, members = members_of(tmp_path)
    refused(write_zip(path, {**members, "model.weights.h5": held.getvalue()}))


@pytest.mark.parametrize("models", [tutorial_models, quick_models])
@pytest.mark.parametrize("ending", ["h5", "keras"])
def test_the_projects_own_models_load(tmp_path, models, ending):
    for model in models()[:2]:
        path = tmp_path / f"{model.name}.{ending}"
        model.save(path)
        checkpoints.load_model(path)
