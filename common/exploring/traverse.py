"""Walk along one direction at a time, the strongest first: what does it change?

What to look for: a row whose images change in one thing alone, the slant, the thickness,
the light. Nobody named these directions in training: G found them. They are sorted by
what they change in G's first layer; whether the image changes more than along any other
direction, the last row shows, and the numbers.

Directions come from the principal components of the first layer's activations (Härkönen
et al. 2020, "GANSpace"), from its weights alone (Shen & Zhou 2021, "SeFa"), or they are
the point's own numbers, one by one, for comparison.
"""

import numpy as np

from common.basics.cli import positive, whole_number
from common.basics.errors import UserError
from common.exploring.geometry import directions_of_activations, directions_of_weights
from common.exploring.pictures import save_rows
from common.sampling import generate_images

N_VECTORS = 1000  # whose activations are looked at
COLUMNS = 9
CHANCE = 20  # random directions to compare with


def add_options(parser):
    add = parser.add_argument
    kinds = tuple(DIRECTIONS)
    text = f"what directions are of: {', '.join(kinds)} ({kinds[0]})"
    add("--of", choices=kinds, default=kinds[0], metavar="KIND", help=text)
    add("-n", type=whole_number(1, 1000), default=8, help="number of directions (8)")
    text = "how far to go to both sides, in standard deviations of a point (4)"
    add("--reach", type=positive, default=4.0, metavar="X", help=text)


def of_activations(subject, options):
    from common.exploring.layers import first_layers

    points = subject.latent_vectors(N_VECTORS, options.seed)
    _, index = first_layers(subject.g_model)
    seen = activations(subject, index, points, options.label)
    return directions_of_activations(points, seen)


def of_weights(subject, options):
    from common.exploring.layers import chain, first_layers

    # What reaches the layer depends on the class: so does what the point's numbers do.
    index, dim = first_layers(subject.g_model)[0], subject.latent_dim
    corners = np.concatenate([np.zeros((1, dim)), np.eye(dim)]).astype("float32")
    reaching = activations(subject, index - 1, corners, options.label)
    kernel = np.asarray(chain(subject.g_model)[1][index].get_weights()[0])
    if reaching.shape[1:] != kernel.shape[:1]:
        raise UserError("the first layer of this generator is no dense one: --of weights")
    weights = (reaching[1:] - reaching[0]) @ kernel
    return directions_of_weights(subject.checked(weights))


def of_numbers(subject, options):
    return np.eye(subject.latent_dim), np.full(subject.latent_dim, np.nan)


DIRECTIONS = {"activations": of_activations, "weights": of_weights, "numbers": of_numbers}


def activations(subject, index, points, label):
    """Return what a layer of `layers.chain` makes of points: float32 (n, units)."""
    from common.exploring.layers import split

    head, _ = split(subject.g_model, index)
    made = generate_images(head, points, subject.one_class(len(points), label))
    return subject.checked(made).reshape(len(made), -1)


def run(subject, options, folder):
    """Save a row for each direction: the point in the middle, and how far it moves."""
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
        print(f">{captions[-1]}, its ends differ by {changes[i]:.3f}".replace("\n", ", "))
    print(f">{CHANCE} random directions: their ends differ by {np.mean(changes[n:]):.3f}")
    heads = [f"{step:+g} sd" for step in steps(options)]
    shown = [*rows[:n], rows[n]], [*captions, "a random direction"]
    save_rows(*shown, folder / "traverse.png", subject.low, heads)


def steps(options):
    return np.linspace(-options.reach, options.reach, COLUMNS)


def walks(subject, options, directions):
    """Images along directions (k, latent_dim), the seed's in the middle of each row.

    Returns:
        float32 (k, COLUMNS, h, w, c).
    """
    moves = steps(options)[:, np.newaxis] * directions[:, np.newaxis]
    points = (subject.point(options.seed) + moves).reshape(-1, subject.latent_dim)
    images = subject.draw_class(points, options.label)
    return images.reshape(-1, COLUMNS, *subject.shape)
