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
from common.exploring.pictures import save_rows
from common.plotting import enlarged, new_figure, tile, to_pictures
from common.runs.video import captioned, save_video
from common.sampling import class_number

WALKS = {"straight": lerp, "arc": slerp}
SHOWN, STEPS = 11, 60  # images of a way in the grid, and steps of the curve
FRAMES, SECONDS = 20, 0.08  # of a way in the video
HEIGHT = 280  # pixels of an image in the video, or some more
JUMP, BESIDE = 3, 5  # times the median of so many steps at each side


def add_options(parser):
    add = parser.add_argument
    text = "of the points to visit (--seed and the two after it)"
    add("--seeds", nargs="+", type=seed_number, metavar="SEED", help=text)
    text = "the class at each point, or one for all; on the way G's own code is mixed"
    add("--labels", nargs="+", metavar="CLASS", help=text)


def run(subject, options, folder):
    """Save the grid of both ways, the curve of their steps, and the video of a loop.

    Raises:
        UserError: there are too few points, points between which there is no one arc, or
            classes where there are none.
    """
    seeds = options.seeds or [(options.seed + i) % 2**32 for i in range(3)]
    labels = options.labels or list(subject.classes[:1])
    if len(seeds) < 2:
        raise UserError("--seeds: name at least two, to walk from one to the other")
    if len(labels) not in (0, 1, len(seeds)):
        raise UserError(
            f"--labels: {len(labels)} classes for {len(seeds)} seeds; name one for each, "
            "or one for all"
        )
    draw, codes = drawer(subject, labels, len(seeds))
    points = np.stack([subject.point(seed) for seed in seeds]).astype("float64")
    try:
        loop(points, 1)
    except ValueError as error:
        raise UserError(f"--seeds: {error}; name other seeds") from None
    grid, curves = [], {}
    for name, walk in WALKS.items():
        grid.append([draw(*way) for way in ways(points, codes, SHOWN - 1, walk)])
        fine = [draw(*way) for way in ways(points, codes, STEPS, walk)]
        curves[name] = steps_of(subject, fine)
        for space, lengths in curves[name].items():
            for i, way in enumerate(np.split(lengths, len(fine))):
                which = f"{seeds[i]} to {seeds[i + 1]}, {name}, {space}"
                print(f">{which}: {describe(way)}")
    rows = [row for pair in zip(*grid, strict=True) for row in pair]
    stops = list(map(str, seeds))
    if labels:
        labels = np.resize(labels, len(seeds))
        stops = [f"{seed} as {label}" for seed, label in zip(seeds, labels, strict=True)]
    captions = [f"{a} to {b}\n{name}" for a, b in pairwise(stops) for name in WALKS]
    save_rows(rows, captions, folder / "grid.png", subject.low)
    save_curves(curves, stops, folder / "steps.png")
    save_loop(subject, points, codes, draw, folder / "loop")


def drawer(subject, labels, n):
    """Return a function of points (m, latent_dim) and codes that draws, and n codes.

    Args:
        subject: subject.Subject.
        labels: names of n classes, or of one for all; empty where G takes none.
        n: number of points to visit.

    Returns:
        the function, and float (n, k): of the classes, or of no numbers.

    Raises:
        UserError: there are no such classes.
    """
    if not subject.classes:
        subject.labels(1, *labels[:1])
        return lambda points, codes: subject.draw(points), np.zeros((n, 0))
    from common.exploring.layers import coded

    numbers = [class_number("--labels", x, subject.classes) for x in labels]
    code_of, model = coded(subject.g_model)
    classes = np.resize(numbers, (n, 1)).astype("int32")
    codes = code_of.predict(classes, verbose=0)

    def draw(points, flat):
        inputs = [np.float32(points), np.float32(flat).reshape(-1, *codes.shape[1:])]
        made = model.predict(inputs, batch_size=100, verbose=0)
        return subject.checked(made.astype("float32"))

    return draw, codes.reshape(n, -1)


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


def save_curves(curves, stops, path):
    """Draw the lengths of the steps along the ways: dict, walk -> dict, space -> (n,)."""
    spaces = {
        "pixels": "in grey levels (root mean\nsquare, of 0 to 1)",
        "features": "in the classifier's features\n(root mean square)",
    }
    rows = len(curves["arc"])
    figure = new_figure(path, (8, 1 + 2.2 * rows), rows, sharex=True)
    with figure as (_, axes):
        for axis, (space, text) in zip(axes, spaces.items(), strict=False):
            for name, found in curves.items():
                at = (np.arange(len(found[space])) + 0.5) / STEPS
                axis.plot(at, found[space], label=name)
            axis.set(ylabel=f"length of a step\n{text}", ylim=(0, None))
        axes[0].legend(frameon=False)
        axes[-1].set_xlabel(f"point of seed (a way is {STEPS} steps)")
        axes[-1].set_xticks(range(len(stops)), stops)


def save_loop(subject, points, codes, draw, path):
    """Save the video of both walks, side by side, through all points and back."""
    mixed = loop(codes, FRAMES, lerp)
    walks = [draw(loop(points, FRAMES, walk), mixed) for walk in WALKS.values()]
    title = " | ".join(WALKS)

    def frames():
        for images in zip(*walks, strict=True):
            pictures = to_pictures(np.stack(images), subject.low)
            sheet = enlarged(tile(pictures, len(WALKS)), HEIGHT / pictures.shape[1])
            yield captioned(sheet, title)

    save_video(frames(), path, SECONDS)
