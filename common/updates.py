"""The parts of an update: a compiled loss, one step down its gradient, a frozen D."""

from contextlib import contextmanager

import keras
from keras import ops

from common.sampling import all_layers


def descend(optimizer, variables, loss):
    """Move these variables, and no others, one optimizer step down a loss's gradient.

    Args:
        optimizer: Keras optimizer, built for these variables.
        variables: list of Keras variables.
        loss: function without arguments -> scalar; with several devices, the mean over
            the share of the batch of this one.

    Returns:
        the loss before the step.
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
        # The optimizer adds up the gradients of all replicas.
        scaled = optimizer.scale_loss(value) / n_devices()
    optimizer.apply(tape.gradient(scaled, values), variables)
    return value


def compiled_loss(model, labels, outputs, weights=None):
    """Return the loss that a model is compiled with, and what its layers add to it.

    Args:
        model: compiled model that gave the outputs in its last call; its loss is to give
            one number for each image.
        labels, outputs: float32 (n, 1).
        weights: float32 (n,), of the images; None: all count the same.
    """
    loss = model.compute_loss(y=labels, y_pred=outputs, sample_weight=weights)
    return loss * n_devices()  # by which Keras has divided it


def loss_of_images(function, gan, model, *images):
    """Return an objective's loss, plus what the layers of the model add to it."""
    return function(gan, *images) + sum(model.losses)


def n_devices():
    """Return how many devices share a batch."""
    if keras.backend.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync


@contextmanager
def frozen(model):
    """Inside, no variable of `model` moves, and its layers work as in training.

    `model.trainable = False` would also switch BatchNormalization to its moving averages:
    G would be trained against another D than the one that learns. So the weights are
    frozen one by one, which takes their regularizers out of G's loss as well, and what a
    call moves all the same is put back: moving averages, and kernels that
    SpectralNormalization divides.
    """
    weights, spectral = model.trainable_weights, keras.layers.SpectralNormalization
    kernels = [x.kernel for x in all_layers(model) if isinstance(x, spectral)]
    statistics = [*model.non_trainable_weights, *kernels]
    before = [ops.copy(s) for s in statistics]
    for weight in weights:
        weight.trainable = False
    try:
        yield
    finally:
        for weight in weights:
            weight.trainable = True
        for statistic, value in zip(statistics, before, strict=True):
            statistic.assign(value)
