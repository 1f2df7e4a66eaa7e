"""Layers that are faster and smaller on the CPU: the same numbers, but for rounding.

TensorFlow's CPU library, oneDNN, computes 16 output channels of a convolution at a time.
Where G draws an image of 1 or 3 channels, it throws most of them away. `convolve` fills
them with neighbouring pixels instead. And LeakyReLU keeps what it was given until its
gradient is asked for, though what it gave tells as much: `leaky_relu` takes that, and
needs no memory. Weights, layers and files stay as they are. Without the line in `gan.py`
that calls `use_fast_layers`, all layers are Keras's own.
"""

import math
from functools import partial

import keras

from common.sampling import all_layers

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

LANES = 16  # output channels that oneDNN computes at once


def use_fast_layers(model):
    """Have the layers of `model` that gain by it compute as here, on the CPU.

    Their classes, weights and configurations stay as they are, and so do model files.
    """
    for layer in all_layers(model) if on_cpu() else ():
        if gains(layer):  # what Conv2D calls, before bias and activation
            layer.convolution_op = convolve
        elif type(layer) is keras.layers.LeakyReLU:
            layer.call = partial(leaky_relu, slope=float(layer.negative_slope))


def on_cpu():
    """Whether TensorFlow computes, and has no GPU."""
    if keras.backend.backend() != "tensorflow":
        return False
    return not tf.config.list_logical_devices("GPU")


def gains(layer):
    """Whether `convolve` computes what this layer does, and sooner.

    It does where a Conv2D leaves most of the lanes empty, and has at least as many input
    channels as numbers in a kernel: with fewer, `gradients` moves more than it saves.
    """
    if type(layer) is not keras.layers.Conv2D or not layer.built:
        return False
    kind = layer.strides, layer.dilation_rate, layer.groups, layer.padding
    if kind != ((1, 1), (1, 1), 1, "same") or layer.data_format != "channels_last":
        return False
    kh, kw, c_in, c_out = layer.kernel.shape
    return 4 * c_out <= LANES and kh * kw > 1 and kh * kw * c_out <= c_in


def convolve(x, kernel):
    """What `tf.nn.conv2d(x, kernel, 1, "SAME")` gives, to rounding; gradients, too.

    Args:
        x: float (n, h, w, c_in).
        kernel: the same dtype, (kh, kw, c_in, c_out).

    Returns:
        (n, h, w, c_out).
    """
    x, kernel = tf.convert_to_tensor(x), tf.convert_to_tensor(kernel)
    if None in x.shape[1:3]:  # a size that the graph does not know has no whole blocks
        return tf.nn.conv2d(x, kernel, 1, "SAME")

    @tf.custom_gradient  # TensorFlow's own, of blocks, is slower than the plain one's
    def in_blocks_with_gradients(x, kernel):
        return in_blocks(x, kernel), lambda dy: gradients(x, kernel, dy)

    return in_blocks_with_gradients(x, kernel)


def in_blocks(x, kernel):
    """The convolution, s x s pixels at once, as s * s * c_out channels.

    Each pixel of a block has a copy of the kernel of its own, shifted to its place.
    """
    (height, width), (kh, kw, c_in, c_out) = x.shape[1:3], kernel.shape
    s = math.isqrt(LANES // c_out)
    copies = [
        tf.pad(kernel, [[i, s - 1 - i], [j, s - 1 - j], [0, 0], [0, 0]])
        for i in range(s)
        for j in range(s)
    ]
    copies = tf.reshape(tf.stack(copies, 3), (kh + s - 1, kw + s - 1, c_in, -1))
    rows, columns = margins(kh), margins(kw)
    rows[1] += -height % s  # up to whole blocks
    columns[1] += -width % s
    blocks = tf.nn.conv2d(x, copies, s, [[0, 0], rows, columns, [0, 0]])
    return tf.nn.depth_to_space(blocks, s)[:, :height, :width]


def gradients(x, kernel, dy):
    """The gradients of x and of the kernel, as products of matrices, given that of y.

    A row of `reached` has, for a pixel of x, the gradients of all that it went into, one
    for each number of its kernel: as many as kh * kw * c_out.
    """
    kh, kw, c_in, c_out = kernel.shape
    n = kh * kw * c_out
    one_hot = tf.reshape(tf.eye(n, dtype=dy.dtype), (kh, kw, c_out, n))[::-1, ::-1]
    padding = [[0, 0], margins(kh)[::-1], margins(kw)[::-1], [0, 0]]
    reached = tf.reshape(tf.nn.conv2d(dy, one_hot, 1, padding), (-1, n))
    flat = tf.reshape(tf.transpose(kernel, (0, 1, 3, 2)), (n, c_in))
    dx = tf.reshape(tf.matmul(reached, flat), tf.shape(x))
    d_flat = tf.matmul(reached, tf.reshape(x, (-1, c_in)), transpose_a=True)
    d_kernel = tf.transpose(tf.reshape(d_flat, (kh, kw, c_out, c_in)), (0, 1, 3, 2))
    return dx, d_kernel


def margins(size):
    """Zeros [before, after] an axis for padding "same", by the kernel's size along it."""
    return [(size - 1) // 2, size // 2]


def leaky_relu(x, slope):
    """x where it is positive, else slope * x; its gradient looks at the sign of y."""
    x = tf.convert_to_tensor(x)

    @tf.custom_gradient
    def by_output(x):
        y = tf.nn.leaky_relu(x, slope)
        return y, lambda dy: tf.raw_ops.LeakyReluGrad(
            gradients=dy, features=y, alpha=slope
        )

    return by_output(x)
