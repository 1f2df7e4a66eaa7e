"""Traverse the latent space along one direction at a time, the strongest first.

What to look for: a row whose images change in a single attribute, such as slant,
thickness or light. No labels were used in training: the directions are unsupervised. They
are sorted by the change that they cause in G's first layer. Compare the change of the
image with that of the last row, a random direction, and with the printed numbers.

Directions come from the principal components of the first layer's activations (Härkönen
et al. 2020, "GANSpace"), from its weights (Shen & Zhou 2021, "SeFa"), or are the single
coordinates of z, for comparison.
"""

import numpy as np

from common.basics.cli import positive, whole_number
from common.basics.errors import UserError
from common.exploring.geometry import directions_of_activations, directions_of_weights
from common.exploring.pictures import save_rows
from common.sampling import generate_images

N_VECTORS = 1000  # latent vectors for the principal components
COLUMNS = 9
CHANCE = 20  # random directions to compare with


def add_options(parser):
    add = parser.add_argument
    kinds = tuple(DIRECTIONS)
    text = "source: activations (GANSpace; default), weights (SeFa), numbers (axes of z)"
    add("--of", choices=kinds, default=kinds[0], metavar="KIND", help=text)
    add("-n", type=whole_number(1, 1000), default=8, help="number of directions (8)")
    text = "range on both sides, in standard deviations of z (4)"
    add("--reach", type=positive, default=4.0, metavar="X", help=text)


def of_activations(subject, options):
    """Return directions and shares of GANSpace: see `directions_of_activations`."""
    from common.exploring.layers import first_layers

    vectors = subject.latent_vectors(N_VECTORS, options.seed)
    _, index = first_layers(subject.g_model)
    values = activations(subject, index, vectors, options.label)
    return directions_of_activations(vectors, values)


def of_weights(subject, options):
    """Return directions and shares of SeFa: see `directions_of_weights`.

    Raises:
        UserError: the first layer is not a dense layer.
    """
    from common.exploring.layers import chain, first_layers

    # The input of the layer is a function of z and, in a conditional G, of the class.
    index, dim = first_layers(subject.g_model)[0], subject.latent_dim
    corners = np.concatenate([np.zeros((1, dim)), np.eye(dim)]).astype("float32")
    reaching = activations(subject, index - 1, corners, options.label)
    kernel = np.asarray(chain(subject.g_model)[1][index].get_weights()[0])
    if reaching.shape[1:] != kernel.shape[:1]:
        raise UserError("--of weights: the first layer is not dense; use activations")
    weights = (reaching[1:] - reaching[0]) @ kernel
    return directions_of_weights(subject.checked(weights))


def of_numbers(subject, options):
    """Return the unit vectors as directions, and NaN for their shares."""
    return np.eye(subject.latent_dim), np.full(subject.latent_dim, np.nan)


DIRECTIONS = {"activations": of_activations, "weights": of_weights, "numbers": of_numbers}


def activations(subject, index, vectors, label):
    """Return the activations of a layer of `layers.chain`: float32 (n, units).

    Args:
        subject: subject.Subject.
        index: of the layer in the chain, or -1 for the input of the chain.
        vectors: float32 (n, latent_dim), latent vectors.
        label: name or number of the class; None for the first.
    """
    from common.exploring.layers import split

    head, _ = split(subject.g_model, index)
    found = generate_images(head, vectors, subject.one_class(len(vectors), label))
    return subject.checked(found).reshape(len(found), -1)


def run(subject, options, folder):
    """Save a row of images per direction, with the latent vector of --seed in the middle.

    Args:
        subject: subject.Subject.
        options: Namespace with of, n, reach, seed and label.
        folder: Path of the folder for the results.
    """
    directions, shares = DIRECTIONS[options.of](subject, options)
    n = min(options.n, len(directions))
    rng = np.random.default_rng(options.seed)
    by_chance = rng.standard_normal((CHANCE, subject.latent_dim))
    by_chance /= np.linalg.norm(by_chance, axis=1, keepdims=True)
    rows = walks(subject, options, np.concatenate([directions[:n], by_chance]))
    ends = [subject.flat(row[[0, -1]]) for row in rows]
    changes = [np.sqrt(np.mean((start - end) ** 2)) for start, end in ends]
    captions = []
    for i in range(n):
        captions.append(f"direction {i + 1}")
        if np.isfinite(shares[i]):
            captions[-1] += f"\n{shares[i]:.0%} of the layer's variance"
        print(f">{captions[-1]}, change {changes[i]:.3f}".replace("\n", ", "))
    print(f">{CHANCE} random directions: mean change {np.mean(changes[n:]):.3f}")
    heads = [f"{step:+g} sd" for step in steps(options)]
    shown = [*rows[:n], rows[n]], [*captions, "a random direction"]
    save_rows(*shown, folder / "traverse.png", subject.low, heads)


def steps(options):
    """Return the positions along a direction: float (COLUMNS,)."""
    return np.linspace(-options.reach, options.reach, COLUMNS)


def walks(subject, options, directions):
    """Generate images along directions, with the image of --seed in the middle.

    Args:
        subject: subject.Subject.
        options: Namespace with reach, seed and label.
        directions: float (k, latent_dim).

    Returns:
        float32 (k, COLUMNS, h, w, c) in [low, 1].
    """
    moves = steps(options)[:, np.newaxis] * directions[:, np.newaxis]
    vectors = subject.latent_vector(options.seed) + moves
    vectors = vectors.reshape(-1, subject.latent_dim)
    images = subject.generate_class(vectors, options.label)
    return images.reshape(-1, COLUMNS, *subject.shape)
