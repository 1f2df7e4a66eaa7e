"""Traverse the latent space along one direction at a time, the strongest first.

What to look for: a row whose images change in a single attribute, such as slant,
thickness or light. No labels were used in training: the directions are unsupervised. They
are sorted by the change that they cause in G's first layer. Compare the change of the
image with that of the last row, a random direction, and with the printed numbers.

Directions are computed from the principal components of the first layer's activations
(Härkönen et al. 2020, "GANSpace"), or from its weights (Shen & Zhou 2021, "SeFa"). For
comparison, they can also be the coordinate axes of z.
"""

import numpy as np

from common.basics.cli import positive, whole_number
from common.basics.errors import UserError
from common.exploring.geometry import ganspace_directions, sefa_directions
from common.exploring.pictures import save_rows
from common.sampling import generate_images

N_VECTORS = 1000  # latent vectors for the principal components
COLUMNS = 9  # images in a row
N_RANDOM = 20  # random directions for comparison


def add_options(parser):
    add = parser.add_argument
    kinds = tuple(DIRECTIONS)
    text = "source: activations (GANSpace; default), weights (SeFa), numbers (axes of z)"
    add("--of", choices=kinds, default=kinds[0], metavar="KIND", help=text)
    add("-n", type=whole_number(1, 1000), default=8, help="number of directions (8)")
    text = "distance from a row's middle to its ends, in standard deviations of z (4)"
    add("--reach", type=positive, default=4.0, metavar="X", help=text)


def of_activations(subject, options):
    """Return directions and variance ratios: see `geometry.ganspace_directions`."""
    from common.exploring.layers import first_block

    vectors = subject.latent_vectors(N_VECTORS, options.seed)
    _, index = first_block(subject.g_model)
    values = activations(subject, index, vectors, options.label)
    return ganspace_directions(vectors, values)


def of_weights(subject, options):
    """Return directions and variance ratios: see `geometry.sefa_directions`.

    Raises:
        UserError: the first layer is not a dense layer.
    """
    from common.exploring.layers import first_block, layer_chain

    # The layer's input is an affine function of z: its matrix is measured at the origin
    # and at the unit vectors. In a conditional G it depends on the class.
    index, dim = first_block(subject.g_model)[0], subject.latent_dim
    vectors = np.concatenate([np.zeros((1, dim)), np.eye(dim)]).astype("float32")
    inputs = activations(subject, index - 1, vectors, options.label)
    kernel = np.asarray(layer_chain(subject.g_model)[1][index].get_weights()[0])
    if inputs.shape[1:] != kernel.shape[:1]:
        raise UserError("--of weights: first layer is not dense; use --of activations")
    weights = (inputs[1:] - inputs[0]) @ kernel
    return sefa_directions(subject.require_finite(weights))


def of_axes(subject, options):
    """Return the unit vectors as directions, and NaN for their variance ratios."""
    return np.eye(subject.latent_dim), np.full(subject.latent_dim, np.nan)


DIRECTIONS = {"activations": of_activations, "weights": of_weights, "numbers": of_axes}


def activations(subject, index, vectors, label):
    """Return the activations of a layer of `layers.layer_chain`: float32 (n, units).

    Args:
        subject: subject.Subject.
        index: index of the layer in the chain, or -1 for the input of the chain.
        vectors: float32 (n, latent_dim), latent vectors.
        label: name or index of the class; None for the first.
    """
    from common.exploring.layers import split

    head, _ = split(subject.g_model, index)
    values = generate_images(head, vectors, subject.same_labels(len(vectors), label))
    return subject.require_finite(values).reshape(len(values), -1)


def run(subject, options, folder):
    """Save a row of images per direction, with the latent vector of --seed in the middle.

    Args:
        subject: subject.Subject.
        options: Namespace with of, n, reach, seed and label.
        folder: Path of the folder for the results.
    """
    directions, ratios = DIRECTIONS[options.of](subject, options)
    n = min(options.n, len(directions))
    rng = np.random.default_rng(options.seed)
    random = rng.standard_normal((N_RANDOM, subject.latent_dim))
    random /= np.linalg.norm(random, axis=1, keepdims=True)
    directions = np.concatenate([directions[:n], random])
    offsets = np.linspace(-options.reach, options.reach, COLUMNS)
    vectors = offsets[:, np.newaxis] * directions[:, np.newaxis]
    vectors = subject.latent_vector(options.seed) + vectors
    images = subject.generate_class(np.concatenate(vectors), options.label)
    rows = images.reshape(-1, COLUMNS, *subject.shape)
    differences = subject.flatten(rows[:, 0]) - subject.flatten(rows[:, -1])
    changes = np.sqrt(np.mean(differences**2, axis=1))
    captions = []
    for i in range(n):
        captions.append(f"direction {i + 1}")
        if np.isfinite(ratios[i]):
            captions[-1] += f"\n{ratios[i]:.0%} of the layer's variance"
        print(f">{captions[-1]}, change {changes[i]:.3f}".replace("\n", ", "))
    print(f">{N_RANDOM} random directions: mean change {np.mean(changes[n:]):.3f}")
    titles = [f"{offset:+g} sd" for offset in offsets]
    captions.append("a random direction")
    save_rows(rows[: n + 1], captions, folder / "traverse.png", subject.low, titles)
