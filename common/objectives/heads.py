"""Convert the D that a folder defines into the D that an objective needs."""

from functools import partial

import keras
from keras import layers

from common.layers.losses import CopyError
from common.objectives.table import OBJECTIVES

CODE = 64  # size of the code between encoder and decoder


def head_for(objective, d_model, define_decoder=None):
    """Return the D that an objective needs.

    Args:
        objective: name, see `table.OBJECTIVES`.
        d_model: compiled discriminator of a folder.
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

    A penalty on D's gradient at one image is undefined if BatchNormalization makes scores
    depend on the whole batch. It is replaced by layer normalization over all pixels and
    channels, as recommended by Gulrajani et al. 2017, section 4.
    """
    d_model = score(d_model, define_decoder)
    alone = keras.models.clone_model(d_model, clone_function=normalize_alone)
    alone.compile(optimizer=d_model.optimizer)
    return alone


def normalize_alone(layer):
    """Return a copy of a layer; for BatchNormalization, a layer normalization."""
    if isinstance(layer, keras.Model):  # a residual block
        return keras.models.clone_model(
            layer, clone_function=normalize_alone, call_function=unmasked
        )
    if isinstance(layer, layers.BatchNormalization):
        return layers.GroupNormalization(groups=1, epsilon=layer.epsilon)
    return type(layer).from_config(layer.get_config())


def unmasked(layer, *inputs, mask=None, **keywords):
    """Call a layer for `clone_model`: a model in a model takes no mask."""
    return layer(*inputs, **keywords)


def square_energy(d_model, define_decoder, distance="square"):
    """Return an auto-encoder, images -> reconstruction errors, float32 (n, 1).

    D without its last layer is the encoder, a generator is the decoder.
    """
    decoder = keras.models.clone_model(
        define_decoder(CODE), clone_function=normalize_alone
    )
    inputs = keras.Input(d_model.input_shape[1:])
    x = inputs
    for layer in d_model.layers[:-1]:
        x = normalize_alone(layer)(x)
    code = layers.Dense(CODE, name="code")(x)
    energy = CopyError(distance, name="energy")([inputs, decoder(code)])
    model = keras.Model(inputs, energy, name="discriminator")
    model.dtype_policy = "float32"  # also with mixed precision: the images are float32
    model.compile(optimizer=d_model.optimizer)
    return model


absolute_energy = partial(square_energy, distance="absolute")
