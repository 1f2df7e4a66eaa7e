"""Model files as a stranger might send them; `python tests/safety/hostile.py` lists what
becomes of each in docs/hostile_files.md.

They are made as the published advisories on Keras's loading describe them: a Lambda layer
(CVE-2024-3660), any module's function in a .keras file (CVE-2025-1550), in an .h5 file
whatever `safe_mode` says (CVE-2025-9905, CVE-2025-9906), a vocabulary that is read from
any path (CVE-2025-12058), numbers in other files, archives that point outside.
"""

import json
import os
import pickle
import struct
import sys
import tempfile
import warnings
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
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
    "Lambda layer, marshalled code": layer("Lambda", function=LAMBDA, arguments={}),
    "Lambda layer, marshalled as of old": layer(
        "Lambda", function=["4wAA", None, None], function_type="lambda", module="os"
    ),
    "Lambda layer of a function by its name": layer("Lambda", function=TOUCH),
    "Lambda layer without a module": {
        "class_name": "Lambda", "config": {"function": "system"}},
    "any class of any module": layer("Popen", "subprocess", args=["touch", RAN]),
    "any function of any module": layer("system", "os", command=f"touch {RAN}"),
    "Keras's own downloader": layer(
        "get_file", "keras.utils", origin="http://127.0.0.1/"),
    "module named like Keras": layer("Dense", "keras_evil.layers", units=1),
    "name that was registered elsewhere": {
        **layer("Dense", units=1), "registered_name": "Evil>Dense"},
    "this project's layer, another module": layer("Augment", "os"),
    "this project's layer, any method": layer(
        "Augment", "common.augment", policy=["save_own_variables"], low=0,
        registered="gan>Augment"),
    "weights of 256 GB that it does not hold": layer("Dense", units=10**9),
    "TensorFlow's saved model": layer("TFSMLayer", filepath="/nowhere"),
    "PyTorch's pickled module": layer("TorchModuleWrapper", module="gASV"),
    "JAX's function": layer("JaxLayer", call_fn=TOUCH),
    "vocabulary of any path": layer("StringLookup", vocabulary="/etc/passwd"),
    "vocabulary of texts": layer("TextVectorization", vocabulary="/etc/passwd"),
    "vocabulary of an address": layer("IntegerLookup", vocabulary="http://127.0.0.1:9/"),
    "activation layer of a function": layer("Activation", activation=TOUCH),
    "layer that starts from a function": layer(
        "Dense", units=1, kernel_initializer=TOUCH),
    "metric as regularizer": layer(
        "Dense", units=1, bias_regularizer=layer("Mean", "keras.metrics")),
    "Lambda in a layer around it": layer("TimeDistributed", layer=layer("Lambda")),
    "Lambda in a model in the model": layer("Sequential", layers=[layer("Lambda")]),
    "class name that is no text": {"class_name": ["Dense"], "config": {}},
    "lambda in place of a layer": LAMBDA,
    "type of TensorFlow": {"class_name": "__typespec__", "module": "os", "config": []},
    "models nested 300 deep": nested(300),
    "weights that grow": layer("Dense", units=1, lora_rank=10**9),
    "module of Keras's insides": layer("Dense", "keras.src.backend.torch", units=1),
    "name of Python's own": layer("__class__"),
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


def with_numbers(kind, write):
    """A generator whose kernel is another thing, by write(file, its place)."""
    path = saved("h5")
    secret = Path("secret")
    with h5py.File(secret, "w") as file:
        file["kernel"] = np.ones((6, 64), "float32")
    with h5py.File(path, "a") as file:
        found = []
        file.visititems(lambda at, x: found.append(at) if at.endswith("kernel") else None)
        del file[found[0]]
        write(file, found[0])
    if kind == "h5":
        return path
    members = members_of(saved("keras"))
    return write_zip(
        Path("model.keras"), {**members, "model.weights.h5": path.read_bytes()}
    )


def virtual(file, at):
    layout = h5py.VirtualLayout((6, 64), "float32")
    layout[:] = h5py.VirtualSource("secret", "kernel", (6, 64))
    file.create_virtual_dataset(at, layout)


NUMBERS = {
    "link to another file": lambda file, at: file.__setitem__(
        at, h5py.ExternalLink("secret", "kernel")),
    "soft link": lambda file, at: file.__setitem__(at, h5py.SoftLink("/nowhere")),
    "numbers in another file": lambda file, at: file.create_dataset(
        at, (6, 64), "float32", external=[("secret", 0, 6 * 64 * 4)]),
    "numbers of other files put together": virtual,
    "400 GB declared and none held": lambda file, at: file.create_dataset(
        at, (10**6, 10**5), "float32", chunks=(10, 10)),
    "decompression bomb": lambda file, at: file.create_dataset(
        at, data=np.zeros((500, 6400), "float32"), compression="gzip"),
    "texts in place of numbers": lambda file, at: file.create_dataset(at, data=["a"] * 3),
    "pickle in place of numbers": lambda file, at: file.create_dataset(
        at, data=np.frombuffer(pickle.dumps(print)[:20], "V20")),
    "type in place of numbers": lambda file, at: file.__setitem__(
        at, np.dtype("float32")),
}  # fmt: skip


def linked_without_end(file, at):
    """Groups in which each name is there twice: 2**40 ways through them."""
    group = file.create_group(at)
    for _ in range(40):
        inner = group.create_group("a")
        group["b"] = inner
        group = inner


def named_twice(file, at):
    file.create_dataset(at, data=np.ones((6, 64), "float32"))
    file["model_weights/dense"].attrs["weight_names"] = [b"a"] * 1000


NUMBERS |= {"groups linked without end": linked_without_end}


class Hostile:
    def __reduce__(self):
        return os.system, (f"touch {RAN}",)


def zip_with(extra, compression=zipfile.ZIP_STORED, without=()):
    """A .keras file with members besides its own, or in their place."""
    members = members_of(saved("keras"))
    kept = [(name, x) for name, x in members.items() if name not in without]
    return write_zip(Path("model.keras"), [*kept, *extra], compression)


def link_in_zip():
    link = zipfile.ZipInfo("config.json")
    link.external_attr = 0o120777 << 16
    return zip_with([(link, "/etc/passwd")], without=["config.json"])


def real_lambda(kind):
    """As Keras itself saves it, with marshalled Python code."""
    x = keras.Input((6,))
    y = layers.Lambda(lambda x: Path(RAN).touch() or x)(layers.Dense(64)(x))
    keras.Model(x, layers.Reshape((8, 8, 1))(y)).save(f"model.{kind}")
    Path(RAN).unlink()  # made while the model was
    return Path(f"model.{kind}")


def huge_image(kind):
    up = [layers.UpSampling2D(512), layers.UpSampling2D(512)]
    keras.Sequential([*[layers.Input((6,)), *generator().layers], *up]).save(
        f"model.{kind}"
    )
    return Path(f"model.{kind}")


def pickled(kind):
    Path(f"model.{kind}").write_bytes(pickle.dumps(Hostile()))
    return Path(f"model.{kind}")


def endless_text():
    with h5py.File("model.h5", "w") as file:
        file.attrs["model_config"] = "[" * 20_000
    return Path("model.h5")


def pickled_weights():
    with open("weights.npy", "wb") as file:  # noqa: PTH123
        np.save(file, np.array([Hostile()]), allow_pickle=True)
    weights = Path("weights.npy").read_bytes()
    return zip_with([("model.weights.h5", weights)], without=["model.weights.h5"])


def both_kinds(kind):
    """An HDF5 file to one reader, a zip to the other."""
    path = Path(f"model.{kind}")
    harmless = saved("h5").read_bytes()
    hostile = with_layer("keras", LAYERS["vocabulary of any path"]).read_bytes()
    path.write_bytes(harmless + hostile)
    return path


def renamed(kind):
    other = saved("keras" if kind == "h5" else "h5")
    return other.rename(f"model.{kind}")


def description(value):
    path = saved("h5")
    with h5py.File(path, "a") as file:
        file.attrs["model_config"] = value
    return path


def one_text_often(n=3000, size=2**20):
    """A description of n texts, which in the file are one and the same."""
    path, texts = saved("h5"), ["x" * size, *(f"y{i}" for i in range(n - 1))]
    with h5py.File(path, "a") as file:
        file.attrs.create("model_config", texts, dtype=h5py.string_dtype())
    content, length = bytearray(path.read_bytes()), struct.pack("<I", size)
    at = content.find(length)  # of a text: its length, its heap's place, its number there
    while not is_heap(content, int.from_bytes(content[at + 4 : at + 12], "little")):
        at = content.find(length, at + 1)
    content[at : at + 16 * n] = content[at : at + 16] * n
    path.write_bytes(content)
    return path


def is_heap(content, at):
    return content[at : at + 4] == b"GCOL"


def numbers_of_a_sparse_file(file, at):
    """A gigabyte and more, of which the disk holds nothing."""
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    settings.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    group, _, name = at.rpartition("/")
    shape = h5py.h5s.create_simple((6, 2**26))
    h5py.h5d.create(file[group].id, name.encode(), h5py.h5t.NATIVE_FLOAT, shape, settings)


def weights_alone():
    generator().save_weights("only.weights.h5")
    return Path("only.weights.h5")


def files():
    """Name -> function that makes the file in the working directory -> its Path."""
    both = {}
    for kind in ("h5", "keras"):
        made = {n: lambda kind=kind, x=x: with_layer(kind, x) for n, x in LAYERS.items()}
        made |= {
            n: lambda kind=kind, x=x: with_setting(kind, x) for n, x in SETTINGS.items()
        }
        made |= {
            n: lambda kind=kind, x=x: with_numbers(kind, x) for n, x in NUMBERS.items()
        }
        made |= {
            "Lambda layer as Keras saves it": lambda kind=kind: real_lambda(kind),
            "models that call each other": lambda kind=kind: called_often(kind),
            "image that no memory holds": lambda kind=kind: huge_image(kind),
            "pickle that runs a command": lambda kind=kind: pickled(kind),
            "HDF5 file that is a zip as well": lambda kind=kind: both_kinds(kind),
            "file of the other kind": lambda kind=kind: renamed(kind),
        }
        both |= {f".{kind}: {name}": make for name, make in made.items()}
    code, config = b"print()", "config.json"
    bomb = [(config, b" " * 10**8)]
    return both | {
        ".h5: description nested without end": endless_text,
        ".h5: weights alone": weights_alone,
        ".h5: description that is an array": lambda: description(np.arange(3)),
        ".h5: description of one text, 3000 times": one_text_often,
        ".h5: a gigabyte of a sparse file": lambda: with_numbers(
            "h5", numbers_of_a_sparse_file),
        ".h5: description that is empty": lambda: description(h5py.Empty("f")),
        ".h5: numbers named a thousand times": lambda: with_numbers("h5", named_twice),
        ".keras: member outside, relative": lambda: zip_with([("../outside", code)]),
        ".keras: member outside, absolute": lambda: zip_with([("/tmp/outside", code)]),
        ".keras: more files": lambda: zip_with([("assets/code.py", code)]),
        ".keras: archive in the archive": lambda: zip_with([("assets.tar", code)]),
        ".keras: description that unpacks to 100 MB": lambda: zip_with(
            bomb, zipfile.ZIP_DEFLATED, [config]),
        ".keras: description of 100 MB": lambda: zip_with(bomb, without=[config]),
        ".keras: two descriptions": lambda: zip_with([(config, b"{}")]),
        ".keras: no description": lambda: zip_with([], without=[config]),
        ".keras: no weights": lambda: zip_with([], without=["model.weights.h5"]),
        ".keras: link in place of the description": link_in_zip,
        ".keras: pickle in place of the weights": pickled_weights,
    }  # fmt: skip


def main():
    """Write docs/hostile_files.md: what `common/generate.py` says to each."""
    from common.basics.cli import one_sentence
    from common.basics.errors import UserError
    from common.checkpoints import load_generator, quiet_keras

    rows = []
    with tempfile.TemporaryDirectory() as folder, quiet_keras():
        for name, make in files().items():
            os.chdir(folder)
            path = make()
            try:
                load_generator(path)
                sentence = "LOADED"
            except UserError as error:
                sentence = one_sentence(error).replace("|", "\\|")
            ran = "yes" if Path(RAN).exists() else "no"
            rows.append(f"| {name} | {ran} | {sentence} |")
    text = """# Model files from strangers

Made and loaded by `python tests/safety/hostile.py`. Each is refused, by every script that
takes a model, with exit code 2 and this sentence; whether code in it ran is looked up.

| file | code ran | sentence |
|---|---|---|
"""
    docs = Path(__file__).resolve().parents[2] / "docs"
    (docs / "hostile_files.md").write_text(text + "\n".join(rows) + "\n")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    main()
