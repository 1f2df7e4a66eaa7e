"""Extract the features that scores are computed from, by a classifier or by Inception.

Scores of different features are not comparable, so a hash of the network's weights is
part of the protocol.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError, as_user_error
from common.data.datasets import keras_cache
from common.safety.hdf5 import check_weights
from common.scores.classifier import in_float32, load_classifier
from common.scores.inception import GRAPH, URL, download_graph, graph_function

SOURCES = (
    "classifier, inception (of 2015, as in papers: 89 MB are downloaded once), "
    "keras-inception, or a path: the graph of 2015 .pb, weights of keras-inception .h5"
)
KERAS_WEIGHTS = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
DOWNLOADS = {  # ending of a file of weights -> what to download
    ".h5": "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    f"{KERAS_WEIGHTS} (92 MB)",
    ".pb": f"{GRAPH} (96 MB) from {URL}",
}
INPUT_SIZE = (299, 299)  # height and width of the input of Inception, pixels
BATCH = 500  # images


class Features(NamedTuple):
    """A feature extractor and its description in the protocol."""

    name: str
    extract: Callable  # uint8 (n, h, w, c) -> features (n, d), probabilities or None
    digest: str  # hash of the network's weights, hexadecimal
    resize: str  # how images are resized
    accuracy: float | None = None  # of a classifier on held-out images
    classes: tuple = ()  # names for the probabilities' columns
    batch: int = BATCH  # maximum number of images per call of `extract`


def choose_features(source, train, test):
    """Return the `Features` of a source.

    Args:
        source: "classifier", "inception", "keras-inception", or the path of a `.pb`
            with the graph of 2015, or of an `.h5` with weights of Keras's InceptionV3.
        train, test: datasets.Images to train the classifier on; test may be None.

    Raises:
        UserError: the file is missing, cannot be downloaded, or contains another
            network.
    """
    if source == "classifier":
        return classifier_features(train, test)
    if source == "inception":
        return inception_2015(download_graph())
    in_cache = keras_cache().parent / "models" / KERAS_WEIGHTS
    path = in_cache if source == "keras-inception" else Path(source)
    if path.suffix not in DOWNLOADS:
        raise UserError(f"--features {source}: choose {SOURCES}")
    if not path.is_file():
        raise UserError(
            f"--features {source}: there is no file {path}: download "
            f"{DOWNLOADS[path.suffix]} to this path, or leave --features out"
        )
    problem = f"--features {path}: not the Inception network expected"
    with as_user_error(problem, f"get {DOWNLOADS[path.suffix]}"):
        return inception_2015(path) if path.suffix == ".pb" else keras_inception(path)


def classifier_features(train, test):
    """Return the `Features` of the classifier of a data set, 64 per image."""
    model, metadata = load_classifier(train, test)
    extractor = with_layer(model, "features")
    has_classes = bool(metadata["classes"])

    def extract(pixels):
        features, probabilities = extractor.predict(pixels, BATCH, verbose=0)
        return features, probabilities if has_classes else None

    kind = "classifier" if has_classes else "rotations"
    return Features(
        name=f"{train.name}-{kind}",
        extract=extract,
        digest=digest_of(b"".join(w.tobytes() for w in model.get_weights())),
        resize="none",
        accuracy=metadata["accuracy"],
        classes=tuple(metadata["classes"]),
    )


def with_layer(model, name):
    """Return a model with two outputs: of the named layer, and the model's first."""
    import keras

    return keras.Model(model.inputs, [model.get_layer(name).output, model.outputs[0]])


def keras_inception(path):
    """Return the `Features` of Keras's InceptionV3: 2048 features, 1000 ImageNet classes.

    Papers use the network of 2015, see `inception_2015`; the scores of the two are not
    comparable.
    """
    import h5py
    import keras

    with h5py.File(path) as file:
        check_weights(file, path)
    with in_float32():
        inception = keras.applications.InceptionV3(weights=str(path))
        model = with_layer(inception, "avg_pool")

    def extract(pixels):
        images = as_colour(pixels).astype("float32")
        resized = keras.ops.image.resize(images, INPUT_SIZE, antialias=True)  # bilinear
        return model.predict(resized / 127.5 - 1, batch_size=50, verbose=0)

    digest = digest_of(path.read_bytes())
    return Features("keras-inception", extract, digest, "antialiased bilinear")


def inception_2015(path):
    """Return the `Features` of `inception.graph_function`: 2048, and 1008 classes."""
    function = graph_function(path)

    def extract(pixels):
        return function(as_colour(pixels).astype("float32"))

    digest = digest_of(path.read_bytes())
    return Features("inception-2015", extract, digest, "bilinear, of TF 1", batch=50)


def as_colour(pixels):
    """Convert uint8 (n, h, w, 1 or 3) to uint8 (n, h, w, 3)."""
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def digest_of(content):
    """Return the first 12 hexadecimal digits of the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()[:12]


def extract_all(features, pixels, picks=None):
    """Extract features and class probabilities of images in batches.

    Args:
        features: Features.
        pixels: uint8 (n, h, w, c), an array or `packed.PackedImages`.
        picks: int (m,), rows of pixels to use; if None, all.

    Returns:
        features float64 (m, d), probabilities float32 (m, classes) or None.
    """
    picks = np.arange(len(pixels)) if picks is None else picks
    batches = [
        features.extract(pixels[picks[start : start + features.batch]])
        for start in range(0, len(picks), features.batch)
    ]
    extracted, probabilities = (
        None if arrays[0] is None else np.concatenate(arrays)
        for arrays in zip(*batches, strict=True)
    )
    return extracted.astype("float64"), probabilities
