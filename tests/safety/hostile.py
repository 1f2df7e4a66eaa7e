"""Hostile model files; `python tests/safety/hostile.py` lists what
becomes of each in docs/hostile_files.md.

They are made as the published advisories on Keras's loading describe them: a Lambda layer
(CVE-2024-3660), any module's function in a .keras file (CVE-2025-1550), in an .h5 file
whatever `safe_mode` says (CVE-2025-9905, CVE-2025-9906), a vocabulary that is read from
any path (CVE-2025-12058), numbers in other files, archives that point outside.
"""

import os
import pickle
import struct
import sys
import tempfile
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
from hostile_layers import (
    LAYERS,
    RAN,
    SETTINGS,
    called_often,
    generator,
    members_of,
    saved,
    with_layer,
    with_setting,
    write_zip,
)
from hostile_numbers import NUMBERS, named_twice, numbers_of_a_sparse_file, with_numbers
from keras import layers


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
    lookup = LAYERS["StringLookup with a vocabulary from any path"]
    hostile = with_layer("keras", lookup).read_bytes()
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
            "models that call nested models 2**29 times": lambda kind=kind: called_often(
                kind
            ),
            "output image that exceeds the memory": lambda kind=kind: huge_image(kind),
            "pickle that runs a command": lambda kind=kind: pickled(kind),
            "HDF5 file that is also a zip": lambda kind=kind: both_kinds(kind),
            "file with the wrong extension": lambda kind=kind: renamed(kind),
        }
        both |= {f".{kind}: {name}": make for name, make in made.items()}
    code, config = b"print()", "config.json"
    bomb = [(config, b" " * 10**8)]
    return both | {
        ".h5: deeply nested config": endless_text,
        ".h5: weights without a model": weights_alone,
        ".h5: config that is an array": lambda: description(np.arange(3)),
        ".h5: config that refers to one string 3000 times": one_text_often,
        ".h5: sparse file of more than 1 GB": lambda: with_numbers(
            "h5", numbers_of_a_sparse_file),
        ".h5: empty config": lambda: description(h5py.Empty("f")),
        ".h5: weights that are listed 1000 times": lambda: with_numbers(
            "h5", named_twice),
        ".keras: relative path outside of the archive": lambda: zip_with(
            [("../outside", code)]),
        ".keras: absolute path outside of the archive": lambda: zip_with(
            [("/tmp/outside", code)]),
        ".keras: additional file": lambda: zip_with([("assets/code.py", code)]),
        ".keras: archive inside the archive": lambda: zip_with([("assets.tar", code)]),
        ".keras: config that is a decompression bomb (100 MB)": lambda: zip_with(
            bomb, zipfile.ZIP_DEFLATED, [config]),
        ".keras: config of 100 MB": lambda: zip_with(bomb, without=[config]),
        ".keras: two configs": lambda: zip_with([(config, b"{}")]),
        ".keras: no config": lambda: zip_with([], without=[config]),
        ".keras: no weights": lambda: zip_with([], without=["model.weights.h5"]),
        ".keras: link in place of the config": link_in_zip,
        ".keras: pickle in place of the weights": pickled_weights,
    }  # fmt: skip


def main():
    """Write docs/hostile_files.md: the message of `common/generate.py` for each."""
    from common.basics.errors import UserError, error_message
    from common.checkpoints import load_generator

    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, make in files().items():
            os.chdir(folder)
            path = make()
            try:
                load_generator(path)
                message = "LOADED"
            except UserError as error:
                message = error_message(error).replace("|", "\\|")
            ran = "yes" if Path(RAN).exists() else "no"
            rows.append(f"| {name} | {ran} | {message} |")
    text = """# Untrusted model files

Made and loaded by `python tests/safety/hostile.py`. Every script that takes a model
rejects each, with exit code 2 and this message; whether code in it ran was tested.

| file | code ran | message |
|---|---|---|
"""
    docs = Path(__file__).resolve().parents[2] / "docs"
    (docs / "hostile_files.md").write_text(text + "\n".join(rows) + "\n")


if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    main()
