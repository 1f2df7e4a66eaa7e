"""Model files whose description names what must not be made."""

import json
import warnings
import zipfile
from pathlib import Path

import h5py
import keras
from keras import layers

RAN = "code_ran"  # what hostile code would leave in the working directory


def generator():
    return keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8 * 8 * 1, name="dense"),
            layers.Reshape((8, 8, 1)),
            layers.Activation("sigmoid"),
        ],
        name="generator",
    )


def saved(kind, change=lambda config: None):
    """A harmless generator in model.h5 or model.keras, its description changed."""
    path = Path(f"model.{kind}")
    generator().save(path)
    return with_description(path, change)


def with_description(path, change):
    """Change the description in a file, and return its path."""
    if path.suffix == ".h5":
        with h5py.File(path, "a") as file:
            config = json.loads(file.attrs["model_config"])
            change(config)
            file.attrs["model_config"] = json.dumps(config)
        return path
    members = members_of(path)
    config = json.loads(members["config.json"])
    change(config)
    return write_zip(path, {**members, "config.json": json.dumps(config).encode()})


def members_of(path):
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def write_zip(path, members, compression=zipfile.ZIP_STORED):
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of a name that comes twice
        for name, content in members.items() if isinstance(members, dict) else members:
            archive.writestr(name, content)
    return path


def dense_of(config):
    (found,) = [x for x in config["config"]["layers"] if x["class_name"] == "Dense"]
    return found["config"]


def layer(name, module="keras.layers", registered=None, **config):
    return {"module": module, "class_name": name, "registered_name": registered,
            "config": {"name": "hostile", **config}}  # fmt: skip


def nested(levels):
    inner = layer("Dense", units=1)
    for _ in range(levels):
        inner = layer("Sequential", layers=[inner])
    return inner


TOUCH = {"module": "os", "class_name": "function", "config": "system",
         "registered_name": "system"}  # fmt: skip


CODE = {"value": "4wAAAAAAAAAAAAAAAAEAAAADAAAA", "defaults": None, "closure": None}


LAMBDA = {"class_name": "__lambda__", "config": CODE}


LAYERS = {
    "Lambda layer with marshalled code": layer("Lambda", function=LAMBDA, arguments={}),
    "Lambda layer with marshalled code, old format": layer(
        "Lambda", function=["4wAA", None, None], function_type="lambda", module="os"
    ),
    "Lambda layer with the name of a function": layer("Lambda", function=TOUCH),
    "Lambda layer without a module": {
        "class_name": "Lambda", "config": {"function": "system"}},
    "any class of any module": layer("Popen", "subprocess", args=["touch", RAN]),
    "any function of any module": layer("system", "os", command=f"touch {RAN}"),
    "Keras's download function": layer(
        "get_file", "keras.utils", origin="http://127.0.0.1/"),
    "module named like Keras": layer("Dense", "keras_evil.layers", units=1),
    "class with another registered name": {
        **layer("Dense", units=1), "registered_name": "Evil>Dense"},
    "layer of this project with another module": layer("Augment", "os"),
    "layer of this project with the name of a method": layer(
        "Augment", "common.augment", policy=["save_own_variables"], low=0,
        registered="gan>Augment"),
    "layer of 256 GB without weights in the file": layer("Dense", units=10**9),
    "TensorFlow SavedModel as a layer": layer("TFSMLayer", filepath="/nowhere"),
    "pickled PyTorch module as a layer": layer("TorchModuleWrapper", module="gASV"),
    "JAX function as a layer": layer("JaxLayer", call_fn=TOUCH),
    "StringLookup with a vocabulary from any path": layer(
        "StringLookup", vocabulary="/etc/passwd"),
    "TextVectorization with a vocabulary from any path": layer(
        "TextVectorization", vocabulary="/etc/passwd"),
    "IntegerLookup with a vocabulary from a URL": layer("IntegerLookup", vocabulary="http://127.0.0.1:9/"),
    "Activation layer with a function": layer("Activation", activation=TOUCH),
    "function as initializer": layer(
        "Dense", units=1, kernel_initializer=TOUCH),
    "metric as regularizer": layer(
        "Dense", units=1, bias_regularizer=layer("Mean", "keras.metrics")),
    "Lambda layer in a wrapper layer": layer("TimeDistributed", layer=layer("Lambda")),
    "Lambda layer in a nested model": layer("Sequential", layers=[layer("Lambda")]),
    "class name that is not a string": {"class_name": ["Dense"], "config": {}},
    "lambda function in place of a layer": LAMBDA,
    "TensorFlow type specification": {
        "class_name": "__typespec__", "module": "os", "config": []},
    "models nested 300 deep": nested(300),
    "layer with additional weights (LoRA)": layer("Dense", units=1, lora_rank=10**9),
    "module that is internal to Keras": layer(
        "Dense", "keras.src.backend.torch", units=1),
    "special attribute of Python": layer("__class__"),
}  # fmt: skip


SETTINGS = (
    {
        f"{what} as {key}": {key: value}
        for key in ("activation", "kernel_initializer", "dtype")
        for what, value in (("function", TOUCH), ("lambda", LAMBDA))
    }
    | {
        f"{name} in place of an activation": {"activation": name}
        for name in ("deserialize", "serialize", "Input")
    }
    | {
        f"{units} units": {"units": units}
        for units in (10**9, 10**14, -1, 1.5, "x", None)
    }
)


def with_layer(kind, hostile):
    return saved(kind, lambda config: config["config"]["layers"].insert(1, hostile))


def with_setting(kind, setting):
    return saved(kind, lambda config: dense_of(config).update(setting))


def called_often(kind, levels=28):
    """A model that calls one twice, which calls one twice, and so on: 2^29 calls."""

    def model(name, change):
        entry = keras.Input((6,))
        return keras.Model(entry, change(entry), name=name)

    inner = model("inner", layers.Dense(6))
    twice = model("twice", lambda x: inner(inner(x)))
    path = Path(f"model.{kind}")
    end = keras.Sequential([layers.Dense(64), layers.Reshape((8, 8, 1))])
    model("whole", lambda x: end(twice(x))).save(path)

    def nest(config):
        def called(described, name):
            (found,) = [x for x in described["layers"] if x["name"] == name]
            return found

        place = called(config["config"], "twice")
        text = json.dumps(place["config"])
        for _ in range(levels):
            place = called(place["config"], "inner")
            place["config"] = json.loads(text)

    return with_description(path, nest)
