"""Train the small classifiers whose features the scores are computed from.

    python common/scores/classifier.py mnist cifar-10

trains one for each data set that is named, unless Keras's cache has it, and tells how
many held-out images it reads right. `evaluate.py` does the same for what it needs.
"""

import json
import math
import sys
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

import numpy as np

from common.basics import cli
from common.basics.errors import UserError
from common.basics.files import atomic_write, exclusive_lock
from common.checkpoints import load_model
from common.data.datasets import NotFoundError, keras_cache, show_notice
from common.devices import set_up
from common.scores.references import load_reference

VERSION = 1  # of what follows; another one is trained anew
BATCH = 128
EPOCHS = {"mnist": 3, "fashion-mnist": 8, "cifar-10": 8}
STEPS = 600  # of training on any other set
MOST = 40_000  # rotated images
FACTS = ("accuracy", "held_out", "classes")  # what is told of a trained one
LEAST = {"mnist": 0.99, "fashion-mnist": 0.90, "cifar-10": 0.75}  # accuracy


def define_classifier(shape, n_classes, flip):
    """A convolutional network of three stages, for images as bytes.

    Args:
        shape: (h, w, c) of an image, uint8.
        n_classes: number of classes.
        flip: whether a mirrored image is of the same class.

    Returns:
        compiled model, images -> probabilities (n, n_classes), whose layer `features`
        gives the 64 numbers that they are made of.
    """
    import keras
    from keras import layers

    model = keras.Sequential([layers.Input(shape), layers.Rescaling(1 / 255)])
    if flip:
        model.add(layers.RandomFlip("horizontal"))
    for filters in (32, 64, 128):
        model.add(layers.Conv2D(filters, 3, padding="same", use_bias=False))
        model.add(layers.BatchNormalization())
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D(padding="same"))
    model.add(layers.Flatten())
    model.add(layers.Dense(64, use_bias=False))
    model.add(layers.BatchNormalization())
    model.add(layers.ReLU(name="features"))
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(n_classes, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def rotated(pixels, n_most=MOST):
    """A task for images without classes: by how many quarters is each turned?

    Gidaris et al. (2018): to tell, one must know what is seen.

    Args:
        pixels: uint8 (n, h, h, c), an array or `packed.PackedImages`.

    Returns:
        uint8 (m, h, h, c) and labels int (m,) in 0..3; m = 4 n, but at most n_most.
    """
    rows = np.arange(min(len(pixels), n_most // 4))
    quarters = [np.rot90(pixels[rows], turn, axes=(1, 2)) for turn in range(4)]
    return np.concatenate(quarters), np.repeat(np.arange(4), len(rows))


def tasks(train, test):
    """What the classifier learns, and what it is tested on: two pairs, images and labels.

    Args:
        train, test: datasets.Images; test may be None, then every tenth image of the
            training set is held out.
    """
    if test is None:
        is_held = np.arange(len(train.pixels)) % 10 == 0
        parts = [(train, np.flatnonzero(~is_held)), (train, np.flatnonzero(is_held))]
    else:
        parts = [(train, slice(None)), (test, slice(None))]
    if train.classes:
        return [(images.pixels[rows], images.labels[rows]) for images, rows in parts]
    return [rotated(images.pixels[rows]) for images, rows in parts]


def train_classifier(train, test):
    """Train a classifier on `datasets.Images`.

    Returns:
        the model, and a dict: its `accuracy` on `held_out` images, its `classes`.
    """
    import keras

    (x, y), (x_test, y_test) = tasks(train, test)
    n_classes = len(train.classes) or 4
    keras.utils.set_random_seed(0)
    model = define_classifier(x.shape[1:], n_classes, x.shape[-1] == 3 and train.classes)
    n_epochs = EPOCHS.get(train.name) or math.ceil(STEPS * BATCH / len(x))
    n_steps = math.ceil(len(x) / BATCH) * n_epochs
    model.optimizer.learning_rate = keras.optimizers.schedules.CosineDecay(2e-3, n_steps)
    in_lines = 2 if n_epochs < 20 else 0
    model.fit(x, y, BATCH, n_epochs, verbose=1 if sys.stdout.isatty() else in_lines)
    _, accuracy = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
    return model, {
        "accuracy": round(float(accuracy), 4),
        "held_out": len(x_test),
        "classes": list(train.classes),
    }


def load_classifier(train, test):
    """The classifier of a data set: from Keras's cache, or trained now and kept there.

    Args:
        train, test: datasets.Images; test may be None.

    Returns:
        the model, and the dict that `train_classifier` makes.

    Raises:
        UserError: the cache cannot be written.
    """
    name = f"{train.name}-{train.describe()['fingerprint']}-v{VERSION}"
    path = keras_cache().parent / "classifiers" / f"{name}.keras"
    if known := read_classifier(path):
        return known
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make Keras's cache: {error}; let KERAS_HOME name another folder"
        ) from None
    with exclusive_lock(path.parent):
        if known := read_classifier(path):  # another process has trained it by now
            return known
        task = "classes" if train.classes else "rotations, as it has no classes"
        print(f"training a classifier of {train.name} ({task}), once ...", flush=True)
        with in_float32():
            model, facts = train_classifier(train, test)
        path.with_suffix(".json").write_text(json.dumps(facts) + "\n")
        with atomic_write(path) as part:
            model.save(part)
    return model, facts


def read_classifier(path):
    """The model in this file and the facts beside it; None where one is not whole."""
    facts = path.with_suffix(".json")
    if not (path.exists() and facts.exists()):
        return None
    try:
        told = json.loads(facts.read_text())
        return load_model(path), {name: told[name] for name in FACTS}
    except Exception:  # Keras and zipfile raise a dozen kinds
        print(f"{path} or its .json is damaged: training it again")
        return None


@contextmanager
def in_float32():
    """Inside, models are built with the dtype policy float32."""
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


@cli.command
def main(argv=None):
    """Train what is missing, and print the accuracies."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] [DATA...]"
    text = f"names of data sets or paths ({', '.join(LEAST)})"
    parser.add_argument("data", nargs="*", default=list(LEAST), help=text)
    options = parser.parse_args(argv)
    set_up()
    missing = []
    for data in options.data:
        try:
            train, test = load_reference(data)
        except NotFoundError as reason:
            missing.append(f"{data}: {reason}")
            continue
        show_notice(train)
        _, facts = load_classifier(train, test)
        right = f"{facts['accuracy']:.2%} of {facts['held_out']} held-out images"
        print(f"{train.name}: {right} read right")
        if facts["accuracy"] < LEAST.get(train.name, 0):
            print(f"that is less than {LEAST[train.name]:.0%}: its scores say little")
    if missing:
        raise UserError("; ".join(missing))


if __name__ == "__main__":
    main()
