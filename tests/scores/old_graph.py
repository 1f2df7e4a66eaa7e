"""A small graph like the Inception of 2015, in its archive, and a server for it."""

import io
import tarfile
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import tensorflow as tf

from common.scores.inception import GRAPH

SIDE, N_PIXELS = 4, 4 * 4 * 3  # the graph resizes to 4x4; a feature for each value
FLOAT = tf.float32.as_datatype_enum


def weights(n_classes=1008):
    """Return the float32 (2048, classes) weights; only those of N_PIXELS are not 0."""
    w = np.zeros((2048, n_classes), "float32")
    w[:N_PIXELS] = np.random.default_rng(0).normal(0, 0.3, (N_PIXELS, n_classes))
    return w


def add_node(graph, op, name, *inputs, **attributes):
    """Add a node as a GraphDef has it, with a type T unless attributes are given."""
    node = graph.node.add(op=op, name=name, input=inputs)
    for key, value in (attributes or {"T": FLOAT}).items():
        if isinstance(value, bool):
            node.attr[key].b = value
        elif isinstance(value, int):
            node.attr[key].type = value
        elif isinstance(value, float):
            node.attr[key].f = value
        elif isinstance(value, bytes):
            node.attr[key].s = value
        elif isinstance(value, list):
            node.attr[key].list.i.extend(value)
        else:
            node.attr[key].tensor.CopyFrom(value)


def add_constant(graph, name, value, dtype=tf.float32):
    """Add a constant node."""
    value = tf.make_tensor_proto(value, dtype)
    add_node(graph, "Const", name, dtype=dtype.as_datatype_enum, value=value)


def add_convolution(graph, name, source, kernel, step):
    """Add a convolution, its normalization, a check for NaN, and a ReLU."""
    add_constant(graph, f"{name}/conv2d_params", kernel)
    inputs = (f"{name}/Conv2D", source, f"{name}/conv2d_params")
    add_node(graph, "Conv2D", *inputs, T=FLOAT, **step)
    norm, check = f"{name}/batchnorm", f"{name}/CheckNumerics"
    statistics = {"moving_mean": -1, "moving_variance": 0.999, "beta": 0.25, "gamma": 2}
    for part, value in statistics.items():
        values = np.full(kernel.shape[-1], value, "float32")
        add_constant(graph, f"{norm}/{part}", values)
    inputs = [f"{name}/Conv2D", *(f"{norm}/{part}" for part in statistics)]
    how = {"variance_epsilon": 0.001, "scale_after_normalization": True}
    add_node(graph, "BatchNormWithGlobalNormalization", norm, *inputs, T=FLOAT, **how)
    add_node(graph, "CheckNumerics", check, norm, T=FLOAT, message=b"NaN")
    add_node(graph, "Identity", f"{name}/control_dependency", norm, f"^{check}")
    add_node(graph, "Relu", name, f"{name}/control_dependency")


def old_graph(n_classes=1008, names=(), extra=()):
    """Return a GraphDef with the nodes, ops and version of the graph of 2015.

    Args:
        n_classes: number of classes.
        names: dict, name of a node -> its new name.
        extra: operations of nodes that are added, without inputs.
    """
    graph = tf.compat.v1.GraphDef()
    graph.versions.producer = 8  # of TensorFlow 0.6; 9 deprecates its normalization
    int_type, byte_type = (t.as_datatype_enum for t in (tf.int32, tf.uint8))
    add_constant(graph, "DecodeJpeg/contents", b"", tf.string)
    add_node(
        graph, "DecodeJpeg", "DecodeJpeg", "DecodeJpeg/contents", fancy_upscaling=True
    )
    add_node(graph, "Cast", "Cast", "DecodeJpeg", SrcT=byte_type, DstT=FLOAT)
    add_constant(graph, "ExpandDims/dim", 0, tf.int32)
    add_node(graph, "ExpandDims", "ExpandDims", "Cast", "ExpandDims/dim")
    add_constant(graph, "ResizeBilinear/size", [SIDE, SIDE], tf.int32)
    size = "ResizeBilinear/size"
    add_node(graph, "ResizeBilinear", "ResizeBilinear", "ExpandDims", size)
    add_constant(graph, "Sub/y", 128.0)
    add_node(graph, "Sub", "Sub", "ResizeBilinear", "Sub/y")
    add_constant(graph, "Mul/y", 1 / 128)
    add_node(graph, "Mul", "Mul", "Sub", "Mul/y")
    step = {"strides": [1, 1, 1, 1], "padding": b"VALID"}
    pick_each = np.eye(N_PIXELS, 2048, dtype="float32").reshape(SIDE, SIDE, 3, 2048)
    for name, kernel in zip(("conv", "conv_1"), np.split(pick_each, 2, -1), strict=True):
        add_convolution(graph, name, "Mul", kernel, step)
    add_constant(graph, "join/concat_dim", 3, tf.int32)
    graph.node.add(op="Concat", name="join", input=["join/concat_dim", "conv", "conv_1"])
    graph.node[-1].attr["N"].i, graph.node[-1].attr["T"].type = 2, FLOAT
    add_node(graph, "AvgPool", "pool_3", "join", T=FLOAT, ksize=[1, 1, 1, 1], **step)
    add_constant(graph, "pool_3/_reshape/shape", [1, 2048], tf.int32)  # a batch of 1
    shape = "pool_3/_reshape/shape"
    add_node(
        graph, "Reshape", "pool_3/_reshape", "pool_3", shape, T=FLOAT, Tshape=int_type
    )
    add_constant(graph, "softmax/weights", weights(n_classes))
    product = ("softmax/logits/MatMul", "pool_3/_reshape", "softmax/weights")
    add_node(graph, "MatMul", *product)
    add_constant(graph, "softmax/biases", np.linspace(0, 9, n_classes, dtype="float32"))
    add_node(graph, "BiasAdd", "softmax/logits", product[0], "softmax/biases")
    add_node(graph, "Softmax", "softmax", "softmax/logits")
    for op in extra:
        add_node(graph, op, op)
    for node in graph.node:
        node.name = dict(names).get(node.name, node.name)
        node.input[:] = [dict(names).get(name, name) for name in node.input]
    return graph


def archive_of(content, name=GRAPH, kind=tarfile.REGTYPE):
    """Return a .tgz with a file, another before it that leads out of its folder."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz", compresslevel=1) as archive:
        for path, part in (("../../LICENSE", b"license"), (name, content)):
            member = tarfile.TarInfo(path)
            member.size = len(part)
            if path == name and kind != tarfile.REGTYPE:
                member.type, member.size, member.linkname = kind, 0, "/etc/passwd"
            archive.addfile(member, io.BytesIO(part))
    return target.getvalue()


@contextmanager
def serving(body, announced=None):
    """Yield the address of a server of one file, and the list of its requests.

    Args:
        body: bytes.
        announced: Content-Length, if it differs.
    """
    requests = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(announced or len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/inception-2015-12-05.tgz", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
