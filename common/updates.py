"""Update one model: compute its loss, apply one optimizer step, freeze the other."""

from contextlib import contextmanager

import keras
from keras import ops

from common.sampling import all_layers


def descend(optimizer, variables, loss):
    """Update only these variables by one optimizer step on the gradient of a loss.

    Args:
        optimizer: Keras optimizer, built for these variables.
        variables: list of Keras variables.
        loss: function without arguments -> scalar; with several devices, the mean over
            this device's share of the batch.

    Returns:
        the loss before the step, float32 ().
    """
    values = [variable.value for variable in variables]
    if keras.backend.backend() == "torch":
        import torch

        value = loss()
        gradients = torch.autograd.grad(optimizer.scale_loss(value), values)
        with torch.no_grad():
            optimizer.apply(gradients, variables)
        return value.detach()
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(values)
        value = loss()
        # The optimizer adds up the gradients of all devices.
        scaled = optimizer.scale_loss(value) / n_devices()
    optimizer.apply(tape.gradient(scaled, values), variables)
    return value


def compiled_loss(model, labels, outputs, sample_weights=None):
    """Return the loss that a model is compiled with, plus the losses of its layers.

    Args:
        model: compiled model, `outputs` are from its last call; its loss must return one
            number per image.
        labels, outputs: float32 (n, 1).
        sample_weights: float32 (n,), of the images; None: equal weights.

    Returns:
        float32 ().
    """
    loss = model.compute_loss(y=labels, y_pred=outputs, sample_weight=sample_weights)
    return loss * n_devices()  # Keras has divided it by this number


def loss_of_images(function, gan, model, *images):
    """Return an objective's loss plus the losses of the model's layers, float32 ().

    Args:
        function: `d_loss` or `g_loss` of a module in `objectives`.
        gan: gan.GAN, first argument of the function.
        model: the model that the function calls, D or the composite.
        images: further arguments of the function.
    """
    return function(gan, *images) + sum(model.losses)


def n_devices():
    """Return the number of devices, among which each batch is divided."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


@contextmanager
def frozen(model):
    """Return a context in which a model is constant, with its layers in training mode.

    `model.trainable = False` would also switch BatchNormalization to its moving averages:
    G would be trained against a different D. So each weight is frozen by itself, which
    also removes its regularizer from G's loss. Variables that a call in training mode
    changes are restored at the end: moving averages, and the kernels that
    SpectralNormalization divides by their norms.
    """
    weights, spectral = model.trainable_weights, keras.layers.SpectralNormalization
    kernels = [x.kernel for x in all_layers(model) if isinstance(x, spectral)]
    changed = [*model.non_trainable_weights, *kernels]
    before = [ops.copy(variable) for variable in changed]
    for weight in weights:
        weight.trainable = False
    try:
        yield
    finally:
        for weight in weights:
            weight.trainable = True
        for variable, value in zip(changed, before, strict=True):
            variable.assign(value)
