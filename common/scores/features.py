"""The features that scores are computed from: a classifier's or Inception's.

Each source returns a `Features`, whose `extract` is a function of images. Scores of
different features are not comparable, so a hash of the network's weights names them.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

from common.basics.errors import UserError
from common.data.datasets import keras_cache
from common.safety.arrays import check_file
from common.safety.hdf5 import check_weights
from common.scores.classifier import in_float32, load_classifier

SOURCES = "classifier, keras-inception or its weights .h5, Inception graph of 2015 .pb"
KERAS_WEIGHTS = "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
GET = {  # ending of a file of features -> what to download
    ".h5": "https://storage.googleapis.com/tensorflow/keras-applications/inception_v3/"
    f"{KERAS_WEIGHTS} (92 MB)",
    ".pb": "classify_image_graph_def.pb (96 MB) from "
    "http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz",
}
SIDE = 299  # pixels: input size of Inception
AT_A_TIME = 500  # images
OPERATIONS = {  # allowed in the untrusted graph: others can write files
    *("Add", "AddV2", "AvgPool", "BatchNormWithGlobalNormalization", "BiasAdd", "Cast"),
    *("CheckNumerics", "Concat", "ConcatV2", "Const", "Conv2D", "DecodeJpeg"),
    *("ExpandDims", "Identity", "MatMul", "MaxPool", "Mean", "Mul", "NoOp"),
    *("Placeholder", "Relu", "Reshape", "ResizeBilinear", "Shape", "Softmax", "Squeeze"),
    *("Sub", "Tile", "StridedSlice", "Pack", "Pad", "Div", "RealDiv", "Maximum"),
    *("Minimum", "Rsqrt", "Transpose", "Fill", "PlaceholderWithDefault"),
    *("FusedBatchNorm", "FusedBatchNormV3"),
}
IMAGE, POOL, LOGITS = "ExpandDims:0", "pool_3:0", "softmax/logits/MatMul"  # of the graph


class Features(NamedTuple):
    """A feature extractor and its description in the protocol."""

    name: str
    extract: Callable  # uint8 (n, h, w, c) -> features (n, d), probabilities or None
    digest: str  # of the network's weights, hexadecimal
    resize: str  # how images are resized
    accuracy: float | None = None  # of a classifier on held-out images
    classes: tuple = ()  # names for the probabilities' columns
    batch: int = AT_A_TIME  # maximum number of images per call of `extract`


def choose_features(source, train, test):
    """Return the `Features` of a source.

    Args:
        source: "classifier", "keras-inception", or the path of an `.h5` file with the
            weights of Keras's InceptionV3, or of a `.pb` with the graph of 2015.
        train, test: datasets.Images to train the classifier on; test may be None.

    Raises:
        UserError: the file is missing or holds another network.
    """
    if source == "classifier":
        return classifier_features(train, test)
    in_cache = keras_cache().parent / "models" / KERAS_WEIGHTS
    path = in_cache if source == "keras-inception" else Path(source)
    if path.suffix not in GET:
        raise UserError(f"--features {source}: choose {SOURCES}")
    if not path.is_file():
        raise UserError(
            f"--features {source}: there is no file {path}: download {GET[path.suffix]} "
            "to this path, or leave --features out"
        )
    try:
        return inception_2015(path) if path.suffix == ".pb" else keras_inception(path)
    except UserError:
        raise
    except Exception as error:  # h5py, Keras, protobuf and TensorFlow raise many types
        why = (str(error) or f"it has no {LOGITS}").splitlines()[0]
        raise UserError(
            f"--features {path}: not the Inception network expected ({why}); get "
            f"{GET[path.suffix]}"
        ) from None


def classifier_features(train, test):
    """Return the 64 features of the small classifier of a data set, see `classifier`."""
    model, facts = load_classifier(train, test)
    both = with_layer(model, "features")
    has_classes = bool(facts["classes"])

    def extract(pixels):
        features, probabilities = both.predict(pixels, batch_size=AT_A_TIME, verbose=0)
        return features, probabilities if has_classes else None

    kind = "classifier" if has_classes else "rotations"
    return Features(
        name=f"{train.name}-{kind}",
        extract=extract,
        digest=digest_of(b"".join(w.tobytes() for w in model.get_weights())),
        resize="none",
        accuracy=facts["accuracy"],
        classes=tuple(facts["classes"]),
    )


def with_layer(model, name):
    """Return a model with two outputs: that of the named layer and its own first one."""
    import keras

    return keras.Model(model.inputs, [model.get_layer(name).output, model.outputs[0]])


def keras_inception(path):
    """Return Keras's InceptionV3: 2048 features, 1000 classes of ImageNet.

    Papers use the weights of 2015, see `inception_2015`. The two are not comparable,
    which is why their names differ.
    """
    import h5py
    import keras

    with h5py.File(path) as file:
        check_weights(file, path)
    with in_float32():
        inception = keras.applications.InceptionV3(weights=str(path))
        model = with_layer(inception, "avg_pool")

    def extract(pixels):
        large = keras.ops.image.resize(
            as_colour(pixels).astype("float32"), (SIDE, SIDE), "bilinear", antialias=True
        )
        return model.predict(large / 127.5 - 1, batch_size=50, verbose=0)

    digest = digest_of(path.read_bytes())
    return Features("keras-inception", extract, digest, "antialiased bilinear")


def inception_2015(path):
    """Return the Inception of 2015, used by papers: 2048 features, 1008 classes.

    Heusel et al. (2017) and Salimans et al. (2016) use its `pool_3`, and logits without
    bias. The graph resizes images itself, as TensorFlow 1 did.

    Raises:
        UserError: the Keras backend is not TensorFlow.
        ValueError: the untrusted graph has an operation that is not allowed.
    """
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UserError(f"--features {path}: this graph needs KERAS_BACKEND=tensorflow")
    import tensorflow as tf

    check_file(path)
    graph = tf.compat.v1.GraphDef.FromString(path.read_bytes())
    others = {n.op for n in graph.node} - OPERATIONS
    if others or graph.library.function:
        other = min(others, default="user function")
        raise ValueError(f"it contains the operation {other}, which is not allowed")
    weights = next(n.input[1] for n in graph.node if n.name == LOGITS)

    def run(images):
        pool, w = tf.graph_util.import_graph_def(
            graph, {IMAGE: images}, [POOL, f"{weights}:0"]
        )
        pool = tf.reshape(pool, (-1, w.shape[0]))
        return pool, tf.nn.softmax(pool @ w)

    images = tf.TensorSpec([None, None, None, 3], tf.float32)
    function = tf.compat.v1.wrap_function(run, [images])

    def extract(pixels):
        outputs = function(tf.constant(as_colour(pixels).astype("float32")))
        return tuple(output.numpy() for output in outputs)

    digest = digest_of(path.read_bytes())
    return Features("inception-2015", extract, digest, "bilinear, of TF 1", batch=50)


def as_colour(pixels):
    """Convert uint8 (n, h, w, 1 or 3) to (n, h, w, 3)."""
    return np.repeat(pixels, 3, axis=-1) if pixels.shape[-1] == 1 else pixels


def digest_of(content):
    """Return the first 12 hexadecimal digits of the SHA-256 of bytes."""
    return hashlib.sha256(content).hexdigest()[:12]


def extract_all(features, pixels, picks=None):
    """Extract features and class probabilities of many images in batches.

    Args:
        features: Features.
        pixels: uint8 (n, h, w, c), an array or `packed.PackedImages`.
        picks: int (m,), rows of pixels; if None, all.

    Returns:
        features float64 (m, d), probabilities float32 (m, classes) or None.
    """
    picks = np.arange(len(pixels)) if picks is None else picks
    parts = [
        features.extract(pixels[picks[start : start + features.batch]])
        for start in range(0, len(picks), features.batch)
    ]
    extracted, probabilities = (
        None if arrays[0] is None else np.concatenate(arrays)
        for arrays in zip(*parts, strict=True)
    )
    return extracted.astype("float64"), probabilities
