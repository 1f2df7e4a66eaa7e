"""Compute layers with less time and memory on the CPU, equal up to rounding.

TensorFlow's CPU library, oneDNN, computes 16 output channels of a convolution at once. In
the last layer of G, with 1 or 3 channels, most of them are unused. `convolve` uses them
for neighbouring pixels. LeakyReLU stores its input for the gradient, but its output has
the same sign: `leaky_relu` uses the output, and needs no additional memory.
"""

import math
from functools import partial

import keras

from common.sampling import all_layers

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

LANES = 16  # output channels that oneDNN computes at once


def use_fast_layers(model):
    """Replace the computations that this module makes faster, if TensorFlow has no GPU.

    Classes, weights and configurations of the layers do not change, nor do model files.

    Args:
        model: built keras.Model, changed in place.
    """
    for layer in all_layers(model) if on_cpu() else ():
        if is_faster(layer):  # Conv2D calls this method before bias and activation
            layer.convolution_op = convolve
        elif type(layer) is keras.layers.LeakyReLU:
            layer.call = partial(leaky_relu, negative_slope=float(layer.negative_slope))


def on_cpu():
    """Return whether the backend is TensorFlow without a GPU."""
    if keras.backend.backend() != "tensorflow":
        return False
    return not tf.config.list_logical_devices("GPU")


def is_faster(layer):
    """Return whether `convolve` computes the same as this layer in less time.

    It does if a Conv2D uses at most a quarter of the lanes and has at least
    kh * kw * c_out input channels: with fewer, `gradients` takes longer.
    """
    if type(layer) is not keras.layers.Conv2D or not layer.built:
        return False
    options = layer.strides, layer.dilation_rate, layer.groups, layer.padding
    if options != ((1, 1), (1, 1), 1, "same") or layer.data_format != "channels_last":
        return False
    kh, kw, c_in, c_out = layer.kernel.shape
    return 4 * c_out <= LANES and kh * kw > 1 and kh * kw * c_out <= c_in


def convolve(x, kernel):
    """Return `tf.nn.conv2d(x, kernel, 1, "SAME")`, equal up to rounding.

    Args:
        x: float (n, h, w, c_in).
        kernel: the same dtype, (kh, kw, c_in, c_out).

    Returns:
        (n, h, w, c_out).
    """
    x, kernel = tf.convert_to_tensor(x), tf.convert_to_tensor(kernel)
    if None in x.shape[1:3]:  # `in_blocks` needs a static size
        return tf.nn.conv2d(x, kernel, 1, "SAME")

    @tf.custom_gradient  # TensorFlow's gradient of `in_blocks` is slower
    def in_blocks_with_gradients(x, kernel):
        return in_blocks(x, kernel), lambda dy: gradients(x, kernel, dy)

    return in_blocks_with_gradients(x, kernel)


def in_blocks(x, kernel):
    """Return the convolution, computed with s * s * c_out channels for s x s pixels.

    Each pixel of a block has its own copy of the kernel, shifted to the pixel's position.
    """
    (height, width), (kh, kw, c_in, c_out) = x.shape[1:3], kernel.shape
    s = math.isqrt(LANES // c_out)
    copies = [
        tf.pad(kernel, [[i, s - 1 - i], [j, s - 1 - j], [0, 0], [0, 0]])
        for i in range(s)
        for j in range(s)
    ]
    copies = tf.reshape(tf.stack(copies, 3), (kh + s - 1, kw + s - 1, c_in, -1))
    rows, columns = same_padding(kh), same_padding(kw)
    rows[1] += -height % s  # to a multiple of the block size
    columns[1] += -width % s
    blocks = tf.nn.conv2d(x, copies, s, [[0, 0], rows, columns, [0, 0]])
    return tf.nn.depth_to_space(blocks, s)[:, :height, :width]


def gradients(x, kernel, dy):
    """Return the gradients of x and of the kernel, computed as matrix products.

    Args:
        x, kernel: see `convolve`.
        dy: gradient of the output, (n, h, w, c_out).
    """
    kh, kw, c_in, c_out = kernel.shape
    n = kh * kw * c_out
    one_hot = tf.reshape(tf.eye(n, dtype=dy.dtype), (kh, kw, c_out, n))[::-1, ::-1]
    padding = [[0, 0], same_padding(kh)[::-1], same_padding(kw)[::-1], [0, 0]]
    # A row per pixel of x: the gradients of the n outputs that depend on it.
    patches = tf.reshape(tf.nn.conv2d(dy, one_hot, 1, padding), (-1, n))
    matrix = tf.reshape(tf.transpose(kernel, (0, 1, 3, 2)), (n, c_in))
    dx = tf.reshape(tf.matmul(patches, matrix), tf.shape(x))
    d_matrix = tf.matmul(patches, tf.reshape(x, (-1, c_in)), transpose_a=True)
    d_kernel = tf.transpose(tf.reshape(d_matrix, (kh, kw, c_out, c_in)), (0, 1, 3, 2))
    return dx, d_kernel


def same_padding(size):
    """Return the padding [before, after] of an axis for "same" and a kernel size."""
    return [(size - 1) // 2, size // 2]


def leaky_relu(x, negative_slope):
    """Return x where positive, else negative_slope * x; its gradient needs only y.

    Args:
        x: float tensor of any shape.
        negative_slope: float.
    """
    x = tf.convert_to_tensor(x)

    @tf.custom_gradient
    def with_gradient_of_output(x):
        y = tf.nn.leaky_relu(x, negative_slope)
        return y, lambda dy: tf.raw_ops.LeakyReluGrad(
            gradients=dy, features=y, alpha=negative_slope
        )

    return with_gradient_of_output(x)
