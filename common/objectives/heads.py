"""Convert the D that a dataset folder defines into the D that an objective needs."""

from functools import partial

import keras
from keras import layers

from common.layers.losses import CopyError
from common.objectives.table import OBJECTIVES

CODE_SIZE = 64  # of the auto-encoder


def head_for(objective, d_model, define_decoder=None):
    """Return the D that an objective needs.

    Args:
        objective: name, see `table.OBJECTIVES`.
        d_model: compiled discriminator of a dataset folder.
        define_decoder: function, size of a code -> generator, used as decoder.

    Returns:
        keras.Model, compiled, images -> float32 (n, 1).
    """
    head = OBJECTIVES[objective].head
    return globals()[head](d_model, define_decoder) if head else d_model


def score(d_model, define_decoder):
    """Return D without its final sigmoid: unbounded scores, higher for real images."""
    d_model.layers[-1].activation = keras.activations.linear
    return d_model


def score_of_single_images(d_model, define_decoder):
    """Return D as `score`, with scores that do not depend on the rest of the batch.

    A penalty on D's gradient at one image needs such scores. BatchNormalization, which
    makes them depend on the whole batch, is replaced by layer normalization over all
    pixels and channels, as recommended by Gulrajani et al. 2017, section 4.
    """
    d_model = score(d_model, define_decoder)
    model = keras.models.clone_model(d_model, clone_function=without_batch_norm)
    model.compile(optimizer=d_model.optimizer)
    return model


def without_batch_norm(layer):
    """Return a copy of a layer, with layer normalization for BatchNormalization."""
    if isinstance(layer, keras.Model):  # a residual block
        return keras.models.clone_model(
            layer, clone_function=without_batch_norm, call_function=call_without_mask
        )
    if isinstance(layer, layers.BatchNormalization):
        return layers.GroupNormalization(groups=1, epsilon=layer.epsilon)
    return type(layer).from_config(layer.get_config())


def call_without_mask(layer, *inputs, mask=None, **keywords):
    """Call a layer for `clone_model`, whose masks a model as a layer does not accept."""
    return layer(*inputs, **keywords)


def square_energy(d_model, define_decoder, distance="square"):
    """Return an auto-encoder, images -> reconstruction errors, float32 (n, 1).

    D without its last layer is the encoder, a generator is the decoder.
    """
    generator = define_decoder(CODE_SIZE)
    decoder = keras.models.clone_model(generator, clone_function=without_batch_norm)
    x = inputs = keras.Input(d_model.input_shape[1:])
    for layer in d_model.layers[:-1]:
        x = without_batch_norm(layer)(x)
    code = layers.Dense(CODE_SIZE, name="code")(x)
    energy = CopyError(distance, name="energy")([inputs, decoder(code)])
    model = keras.Model(inputs, energy, name="discriminator")
    model.dtype_policy = "float32"  # the images are float32, also with mixed precision
    model.compile(optimizer=d_model.optimizer)
    return model


absolute_energy = partial(square_energy, distance="absolute")
