"""Walk from point to point of the latent space, straight on and along an arc.

What to look for: does every step change the image a little, through images that could be
real? Then G has learned a space of images, and not a list of them. A jump in the curve,
one step far longer than those beside it, shows a hole, where two neighbours have nothing
in common; a hill, a place where much changes. The straight way leads through points
nearer to zero than nearly all that G was trained on; the arc keeps their length.

Radford et al. (2016), section 6.1; White (2016), "Sampling Generative Networks".
"""

from itertools import pairwise

import numpy as np

from common.basics.cli import seed_number
from common.basics.errors import UserError
from common.exploring.geometry import lerp, loop, slerp, step_lengths
from common.exploring.pictures import enlarged, save_rows
from common.plotting import captioned, save_film, to_pictures
from common.sampling import class_number

WALKS = {"straight": lerp, "arc": slerp}
SHOWN, STEPS = 11, 60  # images of a way in the grid, and steps of the curve
FRAMES, SECONDS = 20, 0.08  # of a way in the film
JUMP, BESIDE = 3, 5  # times the median of so many steps at each side


def add_options(parser):
    add = parser.add_argument
    text = "of the points to visit (--seed and the two after it)"
    add("--seeds", nargs="+", type=seed_number, metavar="SEED", help=text)
    text = "the class at each point, or one for all; on the way G's own code is mixed"
    add("--labels", nargs="+", metavar="CLASS", help=text)


def check(subject, options):
    """Fill in the seeds, and the class of each.

    Raises:
        UserError: there are too few points, or classes where there are none.
    """
    options.seeds = options.seeds or [(options.seed + i) % 2**32 for i in range(3)]
    if len(options.seeds) < 2:
        raise UserError("--seeds: name at least two, to walk from one to the other")
    if options.labels is None:
        options.labels = list(subject.classes[:1])
    elif not subject.classes:
        subject.labels(1, options.labels[0])
    if len(options.labels) not in (0, 1, len(options.seeds)):
        raise UserError(
            f"--labels: {len(options.labels)} classes for {len(options.seeds)} seeds; "
            "name one for each, or one for all"
        )
    for label in options.labels:
        class_number("--labels", label, subject.classes)
    points = [subject.point(seed) for seed in options.seeds]
    try:
        loop(np.stack(points), 1)
    except ValueError as error:
        raise UserError(f"--seeds: {error}; name other seeds") from None


def run(subject, options, folder):
    """Save the grid of both ways, the curve of their steps, and the film of a loop."""
    points = np.stack([subject.point(seed) for seed in options.seeds]).astype("float64")
    draw, codes = drawer(subject, options)
    grid, captions, curves = [], [], {}
    for name, walk in WALKS.items():
        shown = ways(points, codes, SHOWN - 1, walk)
        fine = ways(points, codes, STEPS, walk)
        grid.append([draw(*way) for way in shown])
        curves[name] = steps_of(subject, [draw(*way) for way in fine])
        for space, lengths in curves[name].items():
            for i, way in enumerate(np.split(lengths, len(shown))):
                seeds = f"{options.seeds[i]} to {options.seeds[i + 1]}"
                print(f">{seeds}, {name}, {space}: {describe(way)}")
    rows = [row for pair in zip(*grid, strict=True) for row in pair]
    stops = names_of(options)
    captions = [f"{a} to {b}\n{name}" for a, b in pairwise(stops) for name in WALKS]
    save_rows(rows, captions, folder / "grid.png", subject.low)
    save_curves(curves, stops, folder / "steps.png")
    save_loop(subject, points, codes, draw, folder / "loop")


def drawer(subject, options):
    """A function of points (n, latent_dim) and codes that draws, and the codes to visit.

    Returns:
        the function, and float (p, k): of the classes, or of no numbers.
    """
    n_points = len(options.seeds)
    if not subject.classes:
        return lambda points, codes: subject.draw(points), np.zeros((n_points, 0))
    from common.exploring.layers import coded

    numbers = [class_number("--labels", x, subject.classes) for x in options.labels]
    code_of, model = coded(subject.g_model)
    classes = np.resize(numbers, (n_points, 1)).astype("int32")
    codes = code_of.predict(classes, verbose=0)

    def draw(points, flat):
        inputs = [np.float32(points), np.float32(flat).reshape(-1, *codes.shape[1:])]
        made = model.predict(inputs, batch_size=100, verbose=0)
        return subject.checked(made.astype("float32"))

    return draw, codes.reshape(n_points, -1)


def ways(points, codes, n, walk):
    """The ways from each point to the next: lists of points (n + 1, d) and codes."""
    shares = np.linspace(0, 1, n + 1)
    return [
        (walk(points[i], points[i + 1], shares), lerp(codes[i], codes[i + 1], shares))
        for i in range(len(points) - 1)
    ]


def steps_of(subject, images):
    """How far each step goes: dict, space -> float, all ways one after the other.

    Args:
        images: list of float32 (n + 1, h, w, c), one a way.
    """
    spaces = {"pixels": subject.flat}
    if subject.known:
        spaces["features"] = subject.features
    found = {}
    for space, look in spaces.items():
        seen = [look(way) for way in images]
        scale = np.sqrt(seen[0].shape[1])  # then it is the root mean square
        found[space] = np.concatenate([step_lengths(way) / scale for way in seen])
    return found


def describe(lengths):
    """A text on the lengths of the steps of a way, float (n,)."""
    at = int(np.argmax(lengths))
    ratio = lengths[at] / max(np.median(lengths), 1e-12)
    beside = np.delete(lengths, at)[max(at - BESIDE, 0) : at + BESIDE]
    jump = ", a jump" if lengths[at] > JUMP * max(np.median(beside), 1e-12) else ""
    where = f"at {(at + 0.5) / len(lengths):.0%} of the way{jump}"
    return f"largest step {ratio:.1f} times the median, {where}; sum {lengths.sum():.3g}"


def names_of(options):
    """What the points of the way are called: "3", or "3 as 7" for the class 7."""
    if not options.labels:
        return list(map(str, options.seeds))
    labels = np.resize(options.labels, len(options.seeds))
    pairs = zip(options.seeds, labels, strict=True)
    return [f"{seed} as {label}" for seed, label in pairs]


def save_curves(curves, stops, path):
    """Draw the lengths of the steps along the ways: dict, walk -> dict, space -> (n,)."""
    from matplotlib.figure import Figure

    spaces = list(next(iter(curves.values())))
    names = {
        "pixels": "in grey levels (root mean\nsquare, of 0 to 1)",
        "features": "in the classifier's features\n(root mean square)",
    }
    figure = Figure(figsize=(8, 1 + 2.2 * len(spaces)), layout="constrained")
    axes = figure.subplots(len(spaces), 1, sharex=True, squeeze=False)[:, 0]
    for axis, space in zip(axes, spaces, strict=True):
        for name, found in curves.items():
            at = (np.arange(len(found[space])) + 0.5) / STEPS
            axis.plot(at, found[space], label=name)
        axis.set_ylabel(f"length of a step\n{names[space]}")
        axis.set_ylim(bottom=0)
    axes[0].legend(frameon=False)
    axes[-1].set_xlabel(f"point of seed (a way is {STEPS} steps)")
    axes[-1].set_xticks(range(len(stops)), stops)
    figure.savefig(path, dpi=100)


def save_loop(subject, points, codes, draw, path):
    """Save the film of both walks, side by side, through all points and back."""
    mixed = loop(codes, FRAMES, lerp)
    walks = [draw(loop(points, FRAMES, walk), mixed) for walk in WALKS.values()]
    title = " | ".join(WALKS)

    def frames():
        for images in zip(*walks, strict=True):
            pictures = to_pictures(np.stack(images), subject.low)
            yield captioned(enlarged(pictures, len(WALKS)), title)

    save_film(frames(), path, SECONDS)
