"""Damaged and hostile models and run folders: functions that make them."""

import json
import tempfile
from functools import cache
from pathlib import Path

import h5py
import numpy as np
from bad_files import STATE, saved, write

# ---- Models


@cache
def model(kind="generator", ending="h5"):
    """The bytes of a small model of 28x28 grey images, or 32x32 colour ones."""
    import keras

    ends = {
        "generator": [(5,), 784, (28, 28, 1)],
        "colour generator": [(5,), 3072, (32, 32, 3)],
        "discriminator": [(28, 28, 1), 1, (1,)],
    }
    start, n, end = ends[kind]
    layers = keras.layers
    made = keras.Sequential(
        [layers.Input(start), layers.Flatten(), layers.Dense(n), layers.Reshape(end),
         layers.Activation("sigmoid")]
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, f"model.{ending}")
        made.save(path)
        return path.read_bytes()


def modelled(*more, kind="generator", change=None, make=None):
    """A maker: a model `m.h5`, and words that begin with it."""

    def all_made():
        write("m.h5", model(kind))
        if change:
            with h5py.File("m.h5", "a") as file:
                change(file)
        if make:
            make()
        return [str(word) for word in more]

    return all_made


def cut_model(share):
    return lambda: model()[: int(len(model()) * share)]


def origin(**changed):
    """A change: the record in the model of the images that it was trained on."""
    whole = {"script": "mnist_gan/train.py", "options": {"data": "synthetic"},
             "data": {"fingerprint": "0", "name": "synthetic"}, **changed}  # fmt: skip
    return lambda file: file.attrs.update(trained_on=json.dumps(whole))


def many_layers(file):
    """A change: the model has 500 layers more, each of a few bytes."""
    described = json.loads(file.attrs["model_config"])
    layer = {"module": "keras.layers", "class_name": "Identity", "config": {}}
    described["config"]["layers"] += [layer] * 500
    file.attrs["model_config"] = json.dumps(described)


def points(array):
    return lambda: np.save("p.npy", array)


def graph_that_writes():
    """A .pb whose graph would write a file."""
    import tensorflow as tf

    graph = tf.Graph()
    with graph.as_default():
        tf.io.write_file("code_ran", "code")
    return graph.as_graph_def().SerializeToString()


# ---- Runs


@cache
def options():
    """The options of a dry run of MNIST, as a run folder keeps them."""
    from common.options.training_options import training_options
    from mnist_gan.train import SCRIPT

    return vars(training_options(["--dry-run", "--seed", "1"], SCRIPT))


@cache
def fingerprint():
    from common.data.mnist import load_images

    return load_images("synthetic").describe()


HISTORY = "epoch,step,d_loss,g_loss\n1,2,0.5,0.7\n"


def a_run(name="run", record=None, state=None, history=HISTORY, **changed):
    """A run folder, of which something is wrong."""
    whole = {"format": 2, "script": "mnist_gan/train.py",
             "options": {**options(), **changed},
             "data": fingerprint(), "device": "device: CPU"}  # fmt: skip
    whole.update(record or {})
    write(f"{name}/options.json", json.dumps(whole))
    write(f"{name}/history.csv", history)
    write(
        f"{name}/state.npz",
        saved(**STATE) if state is None else state,
    )
    write(f"{name}/training.gif", b"")  # its last act


def resume(text=None, words=("--epochs", "3"), beside=None, link=None, **keywords):
    """A maker: a run folder, with this as its options.json, to resume.

    And with another file, a name and what is in it, or a link of this name.
    """

    def make():
        a_run(**keywords)
        if beside:
            write(f"run/{beside[0]}", beside[1])
        if link:
            Path("run", link).symlink_to(write("precious", "the user's"))
        if text is not None:
            write("run/options.json", text)
        return ["--resume", "run", *words]

    return make


def compared(file=None, text="", **keywords):
    """A maker: two runs, and a file in the second."""

    def make():
        a_run("one")
        a_run("two", **keywords)
        if file:
            write(f"two/{file}", text)
        return ["one", "two"]

    return make


def scores(**entry):
    whole = {"epoch": 1, "scores": {"fd": 3.0}, "protocol": {}, **entry}
    return json.dumps(whole) + "\n"
