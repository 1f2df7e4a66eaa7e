"""Split a generator: its input, the chain of its layers, and their units."""

from functools import cache

import keras
from keras import Model, layers

from common.basics.errors import UserError


@cache
def chain(g_model):
    """Return the input tensor of a generator's chain of layers, and these layers.

    Args:
        g_model: generator.

    Returns:
        the input tensor of the first layer: the latent vectors, or in a class-conditional
        G their combination with the class; and the list of layers. Nested Sequential
        models are flattened. A residual block is one layer.

    Raises:
        UserError: the layers do not form a chain.
    """
    steps = [x for x in g_model.layers if not isinstance(x, layers.InputLayer)]
    start, rest = g_model.inputs[0], steps
    for i, layer in enumerate(steps):
        if isinstance(layer.input, list):  # combines the class with z
            start, rest = layer.output, steps[i + 1 :]
    flat = []
    for layer in rest:
        flat += layer.layers if isinstance(layer, keras.Sequential) else [layer]
    has_branches = any(isinstance(layer.input, list) for layer in flat)
    if has_branches or through(flat, start).shape != g_model.outputs[0].shape:
        raise UserError("the layers of this generator form no chain: use another model")
    return start, flat


def through(steps, x):
    """Return the output of layers that are applied to a tensor in sequence."""
    for layer in steps:
        x = layer(x, training=False)
    return x


def split(g_model, index):
    """Split a generator into two models, after a layer of its chain.

    Args:
        g_model: generator.
        index: of the layer in `chain`; -1 for the input of the chain.

    Returns:
        head, inputs of G -> activations of this layer; tail, activations -> images.
    """
    start, steps = chain(g_model)
    inner = through(steps[: index + 1], start)
    activations = layers.Input(inner.shape[1:])
    tail = Model(activations, through(steps[index + 1 :], activations))
    return Model(g_model.inputs, inner), tail


def split_at_embedding(g_model):
    """Split a class-conditional generator after its class embedding.

    Returns:
        a model, classes int (n, 1) -> embeddings (n, ...), and a model, [latent vectors
        (n, latent_dim), embeddings] -> images. Embeddings can be interpolated.
    """
    vectors, classes = g_model.inputs
    kinds = layers.Embedding | layers.CategoryEncoding
    first = next(layer for layer in g_model.layers if isinstance(layer, kinds))
    return Model(classes, first.output), Model([vectors, first.output], g_model.outputs)


def first_layers(g_model):
    """Return where a generator's first layer is, and where its activations are.

    Returns:
        indices in `chain`: of the first layer with a kernel, and of the layer before the
        second one with a kernel, whose output is normalized and activated.

    Raises:
        UserError: fewer than two layers of the chain have a kernel.
    """
    _, steps = chain(g_model)
    with_kernel = [
        i for i, layer in enumerate(steps) if any(len(w.shape) > 1 for w in layer.weights)
    ]
    if len(with_kernel) < 2:
        raise UserError(
            "this generator has fewer than two layers with a kernel in its chain: use "
            "another model"
        )
    return with_kernel[0], with_kernel[1] - 1


def layers_of_units(g_model):
    """Return the layers with feature maps: the last of each shape, without the output.

    Returns:
        dict, name -> index in `chain` and shape (h, w, units) of the activations.
    """
    _, steps = chain(g_model)
    shapes = [layer.output.shape[1:] for layer in steps]
    return {
        steps[i].name: (i, shapes[i])
        for i in range(len(steps) - 1)
        if len(shapes[i]) == 3 and shapes[i] != shapes[i + 1]
    }
