"""A generator taken apart: what goes into it, the layers in their order, their units."""

from functools import cache

import keras
from keras import Model, layers

from common.basics.errors import UserError


@cache
def chain(g_model):
    """A generator as a beginning, and the layers that follow one after the other.

    Args:
        g_model: generator.

    Returns:
        what the first layer takes, a tensor: the points, or what G makes of them and the
        class; and the list of layers, those of nested Sequential models one by one. A
        block with a shortcut is one layer.

    Raises:
        UserError: the layers are no chain.
    """
    steps = [x for x in g_model.layers if not isinstance(x, layers.InputLayer)]
    start, rest = g_model.inputs[0], steps
    for i, layer in enumerate(steps):
        if isinstance(layer.input, list):  # where the class joins the point
            start, rest = layer.output, steps[i + 1 :]
    flat = []
    for layer in rest:
        flat += layer.layers if isinstance(layer, keras.Sequential) else [layer]
    has_branches = any(isinstance(layer.input, list) for layer in flat)
    if has_branches or through(flat, start).shape != g_model.outputs[0].shape:
        raise UserError("this generator's layers do not follow one after the other")
    return start, flat


def through(steps, x):
    """Return what layers make of a tensor, one after the other."""
    for layer in steps:
        x = layer(x, training=False)
    return x


def split(g_model, index):
    """A generator as two models: up to a layer of its chain, and from there on.

    Args:
        g_model: generator.
        index: of the layer in `chain`; -1 for what comes before all of it.

    Returns:
        head, G's inputs -> activations of this layer; tail, activations -> images.
    """
    start, steps = chain(g_model)
    inner = through(steps[: index + 1], start)
    given = layers.Input(inner.shape[1:])
    tail = Model(given, through(steps[index + 1 :], given))
    return Model(g_model.inputs, inner), tail


def coded(g_model):
    """A generator that takes a class's code, which can be mixed, for its number.

    Returns:
        a model, classes int (n, 1) -> codes (n, ...), and one, [points, codes] -> images.
    """
    points, classes = g_model.inputs
    kinds = layers.Embedding | layers.CategoryEncoding
    first = next(layer for layer in g_model.layers if isinstance(layer, kinds))
    return Model(classes, first.output), Model([points, first.output], g_model.outputs)


def first_layers(g_model):
    """Where a generator's first layer is, and where its activations are.

    Returns:
        indices in `chain`: of the first layer with a kernel, and of the last one before
        the second with a kernel, after normalization and activation.
    """
    _, steps = chain(g_model)
    with_kernel = [
        i for i, layer in enumerate(steps) if any(len(w.shape) > 1 for w in layer.weights)
    ]
    if len(with_kernel) < 2:
        raise UserError(
            "this generator ends in a single layer that follows all others: there is "
            "nothing to look inside"
        )
    return with_kernel[0], with_kernel[1] - 1


def layers_of_units(g_model):
    """The layers whose units draw maps: of each size the last, but for the images.

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
