"""Train the small classifiers whose features the scores are computed from.

    python common/scores/classifier.py mnist cifar-10

trains a classifier per data set, unless Keras's cache has it, and prints its accuracy on
held-out images. `evaluate.py` trains the classifier that it needs in the same way.
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
from common.basics.errors import UserError, as_user_error
from common.basics.files import atomic_write, exclusive_lock
from common.checkpoints import load_model
from common.data.datasets import SYNTHETIC_HINT, NotFoundError, keras_cache, show_notice
from common.devices import set_up
from common.scores.references import load_reference

VERSION = 1  # of the model and its training; a new version trains all classifiers again
BATCH = 128
EPOCHS = {"mnist": 3, "fashion-mnist": 8, "cifar-10": 8}
STEPS = 600  # training steps on other data sets
MAX_ROTATED = 40_000  # rotated images
METADATA = ("accuracy", "held_out", "classes")  # keys of the .json beside the model
MIN_ACCURACY = {"mnist": 0.99, "fashion-mnist": 0.90, "cifar-10": 0.75}


def define_classifier(shape, n_classes, flip):
    """Return a convolutional classifier of three stages for uint8 images.

    Args:
        shape: (h, w, c) of an image, uint8.
        n_classes: number of classes.
        flip: whether to augment with horizontal flips.

    Returns:
        compiled model, images (n, h, w, c) -> probabilities (n, n_classes). The output of
        its layer `features` is (n, 64).
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


def rotate_images(pixels, n_max=MAX_ROTATED):
    """Return images rotated by 0, 90, 180 and 270 degrees, and the rotations as labels.

    Predicting the rotation is a self-supervised task for images without classes (Gidaris
    et al. 2018).

    Args:
        pixels: uint8 (n, h, h, c), an array or `packed.PackedImages`.
        n_max: maximum of m.

    Returns:
        uint8 (m, h, h, c) and labels int (m,) in 0..3, with m = min(4 n, n_max).
    """
    rows = np.arange(min(len(pixels), n_max // 4))
    quarters = [np.rot90(pixels[rows], turn, axes=(1, 2)) for turn in range(4)]
    return np.concatenate(quarters), np.repeat(np.arange(4), len(rows))


def make_datasets(train, test):
    """Return the classifier's training set and test set.

    Args:
        train, test: datasets.Images. If test is None, every tenth training image is held
            out. If they have no classes, the task is `rotate_images`.

    Returns:
        list of two tuples (images uint8 (n, h, w, c), labels int (n,)).
    """
    if test is None:
        is_held = np.arange(len(train.pixels)) % 10 == 0
        parts = [(train, np.flatnonzero(~is_held)), (train, np.flatnonzero(is_held))]
    else:
        parts = [(train, slice(None)), (test, slice(None))]
    if train.classes:
        return [(images.pixels[rows], images.labels[rows]) for images, rows in parts]
    return [rotate_images(images.pixels[rows]) for images, rows in parts]


def train_classifier(train, test):
    """Train a classifier on `datasets.Images`.

    Args:
        train, test: datasets.Images; test may be None.

    Returns:
        the model, and a dict: `accuracy` in [0, 1] on the test set, `held_out`, the
        number of test images, and `classes`, a list of names.
    """
    import keras

    (x, y), (x_test, y_test) = make_datasets(train, test)
    n_classes = len(train.classes) or 4
    keras.utils.set_random_seed(0)
    model = define_classifier(x.shape[1:], n_classes, x.shape[-1] == 3 and train.classes)
    n_epochs = EPOCHS.get(train.name) or math.ceil(STEPS * BATCH / len(x))
    n_steps = math.ceil(len(x) / BATCH) * n_epochs
    model.optimizer.learning_rate = keras.optimizers.schedules.CosineDecay(2e-3, n_steps)
    verbose = 2 if n_epochs < 20 else 0  # a line per epoch
    model.fit(x, y, BATCH, n_epochs, verbose=1 if sys.stdout.isatty() else verbose)
    _, accuracy = model.evaluate(x_test, y_test, batch_size=500, verbose=0)
    return model, {
        "accuracy": round(float(accuracy), 4),
        "held_out": len(x_test),
        "classes": list(train.classes),
    }


def load_classifier(train, test):
    """Return the classifier of a data set from Keras's cache, trained if it is missing.

    Args:
        train, test: datasets.Images; test may be None.

    Returns:
        model and metadata, see `train_classifier`.

    Raises:
        UserError: the cache cannot be written.
    """
    name = f"{train.name}-{train.describe()['fingerprint']}-v{VERSION}"
    path = keras_cache().parent / "classifiers" / f"{name}.keras"
    if saved := read_classifier(path):
        return saved
    what = f"cannot create {path.parent} in Keras's cache"
    with as_user_error(what, "set KERAS_HOME to another folder"):
        path.parent.mkdir(parents=True, exist_ok=True)
    with exclusive_lock(path.parent):
        if saved := read_classifier(path):  # trained by another process meanwhile
            return saved
        task = "classes" if train.classes else "rotations, as it has no classes"
        print(f"training a classifier of {train.name} ({task}) ...", flush=True)
        with in_float32():
            model, metadata = train_classifier(train, test)
        path.with_suffix(".json").write_text(json.dumps(metadata) + "\n")
        with atomic_write(path) as part:
            model.save(part)
    return model, metadata


def read_classifier(path):
    """Return a saved model and its metadata; None if either is missing or damaged."""
    json_path = path.with_suffix(".json")
    if not (path.exists() and json_path.exists()):
        return None
    try:
        metadata = json.loads(json_path.read_text())
        return load_model(path), {name: metadata[name] for name in METADATA}
    except Exception:  # Keras and zipfile raise many types
        print(f"{path} or its .json is damaged: training it again")
        return None


@contextmanager
def in_float32():
    """Set the dtype policy float32 within the with block."""
    import keras

    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


@cli.command
def main(argv=None):
    """Train the missing classifiers and print the accuracies."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] [DATA...]"
    text = f"names of data sets or paths ({', '.join(MIN_ACCURACY)})"
    parser.add_argument("data", nargs="*", default=list(MIN_ACCURACY), help=text)
    options = parser.parse_args(argv)
    set_up()
    missing = []
    for data in options.data:
        try:
            train, test = load_reference(data)
        except NotFoundError as error:
            missing.append(f"{data}: {str(error).removesuffix(SYNTHETIC_HINT)}")
            continue
        show_notice(train)
        _, metadata = load_classifier(train, test)
        n = metadata["held_out"]
        print(f"{train.name}: accuracy {metadata['accuracy']:.2%} on {n} held-out images")
        if metadata["accuracy"] < MIN_ACCURACY.get(train.name, 0):
            print(f"below {MIN_ACCURACY[train.name]:.0%}: its scores are not reliable")
    if missing:
        raise UserError("; ".join(missing))


if __name__ == "__main__":
    main()
