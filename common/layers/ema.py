"""EMA of G's weights, which generates better images than the last weights."""

from contextlib import contextmanager

import keras
import numpy as np
from keras import ops

from common.sampling import all_layers, generate_latent_points, inputs_of

N_BATCHES, N_VECTORS = 10, 200  # for the BatchNormalization statistics of the EMA


def inner(optimizer):
    """Return the optimizer itself, without the loss scaling around it in float16."""
    return getattr(optimizer, "inner_optimizer", optimizer)


@contextmanager
def averaged(g_model, optimizer):
    """Return a context in which G has the EMA of its weights, if its optimizer has one.

    BatchNormalization's statistics are recomputed with the averaged weights, from 2,000
    fixed latent vectors. (Keras finalizes the optimizer of the model that `fit` trains,
    which has none here, and leaves the statistics of the last weights.) Yazici et al.
    2019, "The Unusual Effectiveness of Averaging in GAN Training".

    Args:
        g_model: generator; its weights are restored at the end.
        optimizer: that of the composite, built for G's weights.
    """
    if not inner(optimizer).use_ema:
        yield
        return
    last = [ops.copy(w) for w in g_model.variables]
    optimizer.finalize_variable_values(g_model.trainable_variables)
    take_statistics(g_model)
    try:
        yield
    finally:
        for weight, value in zip(g_model.variables, last, strict=True):
            weight.assign(value)


def take_statistics(g_model):
    """Set BatchNormalization's moving averages to the means over batches of z."""
    norms = [
        layer
        for layer in all_layers(g_model)
        if isinstance(layer, keras.layers.BatchNormalization)
    ]
    before = [layer.momentum for layer in norms]
    rng = np.random.default_rng(0)
    latent_dim = g_model.inputs[0].shape[-1]
    for i in range(N_BATCHES if norms else 0):
        for layer in norms:
            layer.momentum = i / (i + 1)  # equal weights of all batches
        z = generate_latent_points(latent_dim, N_VECTORS, rng)
        g_model(inputs_of(g_model, z), training=True)
    for layer, momentum in zip(norms, before, strict=True):
        layer.momentum = momentum
