"""Use the exponential moving average (EMA) of G's weights, which improves its images."""

from contextlib import contextmanager

import keras
import numpy as np
from keras import ops

from common.sampling import all_layers, generate_latent_points, inputs_of

N_BATCHES, BATCH_SIZE = 10, 200  # latent vectors for BatchNormalization's statistics


def without_loss_scaling(optimizer):
    """Return the optimizer inside Keras's LossScaleOptimizer (float16), or itself."""
    return getattr(optimizer, "inner_optimizer", optimizer)


@contextmanager
def ema_weights(g_model, optimizer):
    """Return a context in which G has the EMA of its weights, if its optimizer has one.

    Yazici et al. 2019, "The Unusual Effectiveness of Averaging in GAN Training".
    BatchNormalization's statistics are recomputed with the EMA weights, from 2,000 fixed
    latent vectors. (Keras itself would only use the EMA of the optimizer of the model
    that `fit` trains, which has none here, with statistics of the current weights.)

    Args:
        g_model: generator; its weights are restored at the end.
        optimizer: that of the composite, built for G's weights.
    """
    if not without_loss_scaling(optimizer).use_ema:
        yield
        return
    before = [ops.copy(w) for w in g_model.variables]
    optimizer.finalize_variable_values(g_model.trainable_variables)
    recompute_statistics(g_model)
    try:
        yield
    finally:
        for weight, value in zip(g_model.variables, before, strict=True):
            weight.assign(value)


def recompute_statistics(g_model):
    """Set BatchNormalization's moving averages to their means over batches of z."""
    batch_norm = keras.layers.BatchNormalization
    norms = [layer for layer in all_layers(g_model) if isinstance(layer, batch_norm)]
    before = [layer.momentum for layer in norms]
    rng = np.random.default_rng(0)
    latent_dim = g_model.inputs[0].shape[-1]
    for i in range(N_BATCHES if norms else 0):
        for layer in norms:
            layer.momentum = i / (i + 1)  # equal weights of all batches
        z = generate_latent_points(latent_dim, BATCH_SIZE, rng)
        g_model(inputs_of(g_model, z), training=True)
    for layer, momentum in zip(norms, before, strict=True):
        layer.momentum = momentum
