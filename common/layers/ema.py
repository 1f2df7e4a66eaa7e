"""The running mean of G's weights (EMA), which draws better than the last weights do."""

from contextlib import contextmanager

import keras
import numpy as np
from keras import ops

from common.sampling import all_layers, generate_latent_points, inputs_of

N_BATCHES, N_VECTORS = 10, 200  # over which the statistics of an averaged G are taken


def inner(optimizer):
    """The optimizer itself, without the scaling of losses around it in float16."""
    return getattr(optimizer, "inner_optimizer", optimizer)


@contextmanager
def averaged(g_model, optimizer):
    """Inside, G holds the running mean of its weights, where its optimizer keeps one.

    BatchNormalization's statistics are those of the averaged G: they are taken anew from
    2,000 latent points, always the same. (Keras's own finalising looks at the optimizer
    of the model that `fit` trains, which here has none, and leaves the statistics of the
    last weights.) Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN
    Training".

    Args:
        g_model: generator; afterwards it is what it was before.
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
    """Set BatchNormalization's moving averages to the means over batches of points."""
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
            layer.momentum = i / (i + 1)  # so that every batch counts the same
        points = generate_latent_points(latent_dim, N_VECTORS, rng)
        g_model(inputs_of(g_model, points), training=True)
    for layer, momentum in zip(norms, before, strict=True):
        layer.momentum = momentum
