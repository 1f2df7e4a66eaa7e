"""What Keras has no word for: gradients by hand, on TensorFlow and on PyTorch."""

import keras
from keras import ops


def descend(optimizer, variables, loss):
    """One step of an optimizer on these variables, and no others, down a loss's gradient.

    Args:
        optimizer: Keras optimizer, built for these variables.
        variables: list of Keras variables.
        loss: function without arguments -> scalar.
    """
    values = [variable.value for variable in variables]
    if keras.backend.backend() == "torch":
        import torch

        gradients = torch.autograd.grad(optimizer.scale_loss(loss()), values)
        with torch.no_grad():
            optimizer.apply(gradients, variables)
    else:
        import tensorflow as tf

        # The optimizer adds up the gradients of all replicas, as Keras's losses expect.
        n_replicas = tf.distribute.get_strategy().num_replicas_in_sync
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(values)
            scaled = optimizer.scale_loss(loss()) / n_replicas
        optimizer.apply(tape.gradient(scaled, values), variables)


def scores_and_slopes(judge, x):
    """D's outputs, and how steep D is at each x: |gradient of D's output by x|^2.

    Both can be differentiated again with respect to D's weights.

    Args:
        judge: function, float32 (n, ...) -> (n, 1), each row from its own x alone.
        x: float32 (n, ...).

    Returns:
        scores float32 (n, 1) and squared norms float32 (n,).
    """
    if keras.backend.backend() == "torch":
        import torch

        x = x.detach().requires_grad_(True)
        scores = judge(x)
        (gradient,) = torch.autograd.grad(scores.sum(), x, create_graph=True)
    else:
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            scores = judge(x)
        gradient = tape.gradient(scores, x)
    pixels = tuple(range(1, len(x.shape)))
    return scores, ops.sum(ops.square(gradient), axis=pixels)
