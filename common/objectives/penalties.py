"""Compute gradients of D with respect to images, with TensorFlow or PyTorch."""

import keras
from keras import ops


def scores_and_squared_norms(d_outputs, x):
    """Return D's scores of x, and the squared norms of D's gradients with respect to x.

    Both are differentiable with respect to D's weights.

    Args:
        d_outputs: function, float32 (n, ...) -> scores (n, 1); the score of an image must
            not depend on other images.
        x: float32 (n, ...).

    Returns:
        scores float32 (n, 1), and |gradient|^2 float32 (n,), summed over all pixels.
    """
    if keras.backend.backend() == "torch":
        import torch

        x = x.detach().requires_grad_(True)
        scores = d_outputs(x)
        (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    else:
        import tensorflow as tf

        x = ops.convert_to_tensor(x)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            scores = d_outputs(x)
        gradient = tape.gradient(scores, x)
    pixels = tuple(range(1, len(x.shape)))
    return scores, ops.sum(ops.square(gradient), axis=pixels)
