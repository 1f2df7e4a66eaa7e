"""Download and run the Inception graph of 2015, whose features papers compute FID of."""

import hashlib
from pathlib import Path

from common.basics.errors import UserError, as_user_error
from common.basics.files import atomic_write, exclusive_lock
from common.data.datasets import downloading, keras_cache
from common.runs.folder import check_writable
from common.safety.archives import read_archive
from common.safety.arrays import check_file

URL = "http://download.tensorflow.org/models/image/imagenet/inception-2015-12-05.tgz"
GRAPH = "classify_image_graph_def.pb"  # its file in the archive
ARCHIVE_BYTES, GRAPH_BYTES = 88_931_400, 95_673_916
SHAPE = [2048, 1008]  # features and classes; ImageNet's classes are 1000 of them
IMAGE, POOL, LOGITS = "ExpandDims", "pool_3", "softmax/logits/MatMul"  # its nodes
ALLOWED_OPERATIONS = {  # of the untrusted graph: others can write files
    *("Add", "AddV2", "AvgPool", "BatchNormWithGlobalNormalization", "BiasAdd", "Cast"),
    *("CheckNumerics", "Concat", "ConcatV2", "Const", "Conv2D", "DecodeJpeg"),
    *("ExpandDims", "Identity", "MatMul", "MaxPool", "Mean", "Mul", "NoOp"),
    *("Placeholder", "Relu", "Reshape", "ResizeBilinear", "Shape", "Softmax", "Squeeze"),
    *("Sub", "Tile", "StridedSlice", "Pack", "Pad", "Div", "RealDiv", "Maximum"),
    *("Minimum", "Rsqrt", "Transpose", "Fill", "PlaceholderWithDefault"),
    *("FusedBatchNorm", "FusedBatchNormV3"),
}


def download_graph():
    """Return the path of the graph in Keras's cache; download it if it is missing.

    Raises:
        NotFoundError: the download failed.
        UserError: it is another file, or Keras's cache cannot be written.
    """
    require_tensorflow("inception")
    folder = keras_cache().parent / "models"
    path = folder / GRAPH
    if not path.exists():
        what = f"--features inception: Keras's cache {folder} cannot be written"
        with as_user_error(what, "set KERAS_HOME to another folder"):
            folder.mkdir(parents=True, exist_ok=True)
            check_writable(folder)
        with exclusive_lock(folder):
            if not path.exists():  # downloaded by another process meanwhile
                save_graph(folder)
    problem = f"--features inception: {path} is not the file of {URL}"
    with as_user_error(problem, "delete it, and it is downloaded again"):
        check_file(path)
        content = path.read_bytes()
        check_graph(content)
    print(f"{path}: SHA-256 {hashlib.sha256(content).hexdigest()}", flush=True)
    return path


def save_graph(folder):
    """Download the archive, and write the graph in it into a folder after all checks.

    An archive of the right size that is there already is used. It is removed at the end,
    after an error too.

    Args:
        folder: Path.

    Raises:
        NotFoundError, UserError: see `download_graph`.
    """
    import keras

    archive = folder / Path(URL).name
    by_hand = f"download it elsewhere and copy it to {archive}"
    if archive.exists() and archive.stat().st_size != ARCHIVE_BYTES:
        archive.unlink()  # left by a killed process
    try:
        what = f"--features inception: the download of {URL} (89 MB) failed"
        with downloading(f"{what} ({{}}): {by_hand}"):
            keras.utils.get_file(archive.name, URL, cache_subdir=str(folder))
        with as_user_error(f"{URL}: not the Inception graph of 2015", by_hand):
            check_size(archive.name, archive.stat().st_size, ARCHIVE_BYTES)
            content = read_archive(archive, [GRAPH]).get(GRAPH, b"")
            check_graph(content)
        with atomic_write(folder / GRAPH) as part:
            part.write_bytes(content)
    finally:
        archive.unlink(missing_ok=True)


def check_graph(content):
    """Raise a ValueError unless the size, nodes and classes are those of 2015.

    Args:
        content: bytes of a GraphDef.
    """
    check_size(GRAPH, len(content), GRAPH_BYTES)
    _, weights = read_graph(content)
    shape = [dim.size for dim in weights.attr["value"].tensor.tensor_shape.dim]
    if shape != SHAPE:
        raise ValueError(f"its features and classes are {shape}, not {SHAPE}")


def check_size(name, n_bytes, expected):
    """Raise a ValueError if a file has another number of bytes than expected."""
    if n_bytes != expected:
        raise ValueError(f"{name} has {n_bytes:,} bytes, not {expected:,}")


def read_graph(content):
    """Deserialize and validate an untrusted graph.

    Args:
        content: bytes of a GraphDef.

    Returns:
        GraphDef; NodeDef of the weights of the classes, (features, classes).

    Raises:
        ValueError: it lacks a node, or has an operation that is not allowed.
    """
    import tensorflow as tf

    graph = tf.compat.v1.GraphDef.FromString(content)
    unknown = {node.op for node in graph.node} - ALLOWED_OPERATIONS
    if unknown or graph.library.function:
        operation = min(unknown, default="user function")
        raise ValueError(f"it contains the operation {operation}, which is not allowed")
    nodes = {node.name: node for node in graph.node}
    for name in (IMAGE, POOL, LOGITS):
        if name not in nodes:
            raise ValueError(f"it has no node {name}")
    return graph, nodes[nodes[LOGITS].input[1]]


def graph_function(path):
    """Return a function, float32 images (n, h, w, 3) in 0..255 -> two float32 arrays.

    They are `pool_3` (n, 2048), the features of Heusel et al. (2017), and probabilities
    (n, 1008) of logits without bias, as of Salimans et al. (2016). The graph itself
    resizes the images, as TensorFlow 1 did. Its batch size is 1; here its node IMAGE is
    replaced by a batch of any size.

    Raises:
        UserError: the Keras backend is not TensorFlow.
        ValueError: see `read_graph`.
    """
    require_tensorflow(path)
    import tensorflow as tf

    check_file(path)
    graph_def, weights = read_graph(path.read_bytes())
    image = next(node for node in graph_def.node if node.name == IMAGE)
    image.CopyFrom(tf.compat.v1.NodeDef(name=IMAGE, op="Placeholder"))
    image.attr["dtype"].type = tf.float32.as_datatype_enum
    # Not a tf.function: its newer version of graphs lacks the normalization of 2015.
    with tf.Graph().as_default() as graph:
        names = [f"{node}:0" for node in (IMAGE, POOL, weights.name)]
        images, pool, w = tf.graph_util.import_graph_def(graph_def, None, names, name="")
        pool = tf.reshape(pool, (-1, w.shape[0]))
        outputs = pool, tf.nn.softmax(pool @ w)
    session = tf.compat.v1.Session(graph=graph)
    return lambda pixels: session.run(outputs, {images: pixels})


def require_tensorflow(source):
    """Raise a UserError if the Keras backend cannot run the graph of a source."""
    import keras

    if keras.backend.backend() != "tensorflow":
        raise UserError(
            f"--features {source}: this graph needs KERAS_BACKEND=tensorflow, not "
            f"{keras.backend.backend()}"
        )
