"""The D that an objective needs, made of the D that a folder defines."""

from functools import partial

import keras
from keras import layers

from common.layers.losses import CopyError
from common.objectives.table import OBJECTIVES

CODE = 64  # numbers between the two halves of an auto-encoder


def head_for(objective, d_model, define_decoder=None):
    """Return the D that an objective needs.

    Args:
        objective: name, see `table.OBJECTIVES`.
        d_model: compiled discriminator, as it is defined.
        define_decoder: function, size of a code -> generator of such images.
    """
    head = OBJECTIVES[objective].head
    return globals()[head](d_model, define_decoder) if head else d_model


def score(d_model, define_decoder):
    """D without the sigmoid at its end: any number, high where an image looks real."""
    d_model.layers[-1].activation = keras.activations.linear
    return d_model


def score_of_single_images(d_model, define_decoder):
    """As score; D judges each image alone, without a look at the rest of the batch.

    A penalty on D's gradient at one image has no meaning where BatchNormalization mixes
    them. Here it becomes layer normalization over all pixels and channels, as Gulrajani
    et al. 2017, section 4, advise.
    """
    d_model = score(d_model, define_decoder)
    alone = keras.models.clone_model(d_model, clone_function=normalize_alone)
    alone.compile(optimizer=d_model.optimizer)
    return alone


def normalize_alone(layer):
    """A new layer like this one; for BatchNormalization, one that looks at one image."""
    if isinstance(layer, keras.Model):  # a residual block
        return keras.models.clone_model(
            layer, clone_function=normalize_alone, call_function=unmasked
        )
    if isinstance(layer, layers.BatchNormalization):
        return layers.GroupNormalization(groups=1, epsilon=layer.epsilon)
    return type(layer).from_config(layer.get_config())


def unmasked(layer, *inputs, mask=None, **keywords):
    """How `clone_model` calls layers: a model in a model knows no mask."""
    return layer(*inputs, **keywords)


def square_energy(d_model, define_decoder, distance="square"):
    """An auto-encoder, image -> how badly it copies the image, float32 (n, 1).

    D's body without its last layer becomes the encoder, a generator the decoder.
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
    model.dtype_policy = "float32"  # with mixed precision, too: the images are float32
    model.compile(optimizer=d_model.optimizer)
    return model


absolute_energy = partial(square_energy, distance="absolute")
