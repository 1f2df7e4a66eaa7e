"""Walk along one direction at a time, the strongest first: what does it change?

What to look for: a row whose images change in one thing alone, the slant, the thickness,
the light. The first directions should change much, late ones hardly anything: many of a
point's numbers are noise to G. Nobody named these directions in training: G found them.

Directions come from the principal components of the first layer's activations (Härkönen
et al. 2020, "GANSpace"), from its weights alone (Shen & Zhou 2021, "SeFa"), or they are
the point's own numbers, one by one, for comparison.
"""

import numpy as np

from common.cli import positive, whole_number
from common.exploring.geometry import directions_of_activations, directions_of_weights
from common.exploring.pictures import percent, save_rows

N_POINTS = 1000  # whose activations are looked at
COLUMNS = 9


def add_options(parser):
    add = parser.add_argument
    kinds = tuple(DIRECTIONS)
    text = f"what directions are of: {', '.join(kinds)} ({kinds[0]})"
    add("--of", choices=kinds, default=kinds[0], metavar="KIND", help=text)
    add("-n", type=whole_number(1, 1000), default=8, help="number of directions (8)")
    text = "how far to go to both sides, in standard deviations of a point (4)"
    add("--reach", type=positive, default=4.0, metavar="X", help=text)


def check(subject, options):
    subject.one_class(1, options.label)


def of_activations(subject, options):
    from common.exploring.layers import first_layers, split

    points = subject.points(N_POINTS, options.seed)
    labels = subject.one_class(N_POINTS, options.label)
    head, _ = split(subject.g_model, first_layers(subject.g_model)[1])
    return directions_of_activations(points, activations(head, points, labels))


def of_weights(subject, options):
    from common.exploring.layers import first_layers, split

    head, _ = split(subject.g_model, first_layers(subject.g_model)[0])
    # What reaches the layer depends on the class: so does what the point's numbers do.
    dim = subject.latent_dim
    corners = np.concatenate([np.zeros((1, dim)), np.eye(dim)])
    labels = subject.one_class(len(corners), options.label)
    outputs = activations(head, np.float32(corners), labels)
    return directions_of_weights(outputs[1:] - outputs[0])


def of_numbers(subject, options):
    return np.eye(subject.latent_dim), np.full(subject.latent_dim, np.nan)


DIRECTIONS = {
    "activations": of_activations,
    "weights": of_weights,
    "numbers": of_numbers,
}


def activations(head, points, labels):
    """float32 (n, units) of a generator's head at these points."""
    from common.sampling import generate_images

    made = generate_images(head, points, labels)
    return made.reshape(len(made), -1)


def run(subject, options, folder):
    """Save a row for each direction: the point in the middle, and how far it moves."""
    directions, shares = DIRECTIONS[options.of](subject, options)
    n = min(options.n, len(directions))
    steps = np.linspace(-options.reach, options.reach, COLUMNS)
    start = subject.point(options.seed)
    labels = subject.one_class(COLUMNS, options.label)
    rows, captions = [], []
    for i in range(n):
        rows.append(subject.draw(start + steps[:, np.newaxis] * directions[i], labels))
        ends = subject.flat(rows[-1][[0, -1]])
        change = np.sqrt(np.mean((ends[0] - ends[1]) ** 2))
        share = f"{percent(shares[i])} of the variance"
        captions.append(f"direction {i + 1}\n{share if np.isfinite(shares[i]) else ''}")
        print(f">direction {i + 1}: {share}, its ends differ by {change:.3f}")
    heads = [f"{step:+g}" for step in steps]
    save_rows(rows, captions, folder / "traverse.png", subject.low, heads)
