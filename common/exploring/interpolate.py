"""Interpolate between latent vectors, linearly (lerp) and spherically (slerp).

What to look for: if every step changes the image a little, through plausible images, G
has learned a continuous space of images and has not memorized the training images. A jump
in the curve, one step far longer than its neighbours, shows a discontinuity. A hill shows
a region where the image changes fast. The straight line has latent vectors of a smaller
norm than nearly all in training; the arc keeps the norm.

Sources: Radford et al. (2016), "DCGAN", section 6.1; White (2016), "Sampling Generative
Networks".
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
SHOWN, STEPS = 11, 60  # images of a path in the grid, and steps of the curve
FRAMES, SECONDS = 20, 0.08  # of a path in the video, and seconds of a frame
HEIGHT = 280  # least height of an image in the video, in pixels
JUMP, BESIDE = 3, 5  # ratio to the median of this many steps on each side


def add_options(parser):
    add = parser.add_argument
    text = "seeds of the latent vectors to visit (default: --seed and the next two)"
    add("--seeds", nargs="+", type=seed_number, metavar="SEED", help=text)
    text = "class of each latent vector, or one for all; embeddings are interpolated"
    add("--labels", nargs="+", metavar="CLASS", help=text)


def run(subject, options, folder):
    """Save grid.png, the step lengths as steps.png, and the video of a closed loop.

    Args:
        subject: subject.Subject.
        options: Namespace with seeds, seed and labels.
        folder: Path of the folder for the results.

    Raises:
        UserError: there are fewer than two seeds, two latent vectors are opposite, or the
            number of classes does not fit.
    """
    seeds = options.seeds or [(options.seed + i) % 2**32 for i in range(3)]
    labels = options.labels or list(subject.classes[:1])
    if len(seeds) < 2:
        raise UserError(f"--seeds: expected at least 2 seeds, got {len(seeds)}")
    if len(labels) not in (0, 1, len(seeds)):
        raise UserError(
            f"--labels: {len(labels)} classes for {len(seeds)} seeds; name one class per "
            "seed, or one for all"
        )
    generate, codes = generator_of_codes(subject, labels, len(seeds))
    stops = np.stack([subject.latent_vector(x) for x in seeds]).astype("float64")
    try:
        loop(stops, 1)
    except ValueError as error:
        raise UserError(f"--seeds: {error}; name other seeds") from None
    grid, curves = [], {}
    for name, walk in WALKS.items():
        grid.append([generate(*x) for x in paths(stops, codes, SHOWN - 1, walk)])
        fine = [generate(*x) for x in paths(stops, codes, STEPS, walk)]
        curves[name] = steps_of(subject, fine)
        for space, lengths in curves[name].items():
            for i, of_path in enumerate(np.split(lengths, len(fine))):
                which = f"{seeds[i]} to {seeds[i + 1]}, {name}, {space}"
                print(f">{which}: {describe(of_path)}")
    rows = [row for pair in zip(*grid, strict=True) for row in pair]
    names = list(map(str, seeds))
    if labels:
        labels = np.resize(labels, len(seeds))
        names = [f"{seed} as {label}" for seed, label in zip(seeds, labels, strict=True)]
    captions = [f"{a} to {b}\n{name}" for a, b in pairwise(names) for name in WALKS]
    save_rows(rows, captions, folder / "grid.png", subject.low)
    save_curves(curves, names, folder / "steps.png")
    save_loop(subject, stops, codes, generate, folder / "loop")


def generator_of_codes(subject, labels, n):
    """Return a function that generates images from latent vectors and class embeddings.

    Args:
        subject: subject.Subject.
        labels: names of n classes, or of one for all; empty if G is unconditional.
        n: number of latent vectors to visit.

    Returns:
        the function of latent vectors (m, latent_dim) and embeddings (m, k), and the n
        embeddings float (n, k); k = 0 if G is unconditional.

    Raises:
        UserError: a class does not exist.
    """
    if not subject.classes:
        subject.labels(1, *labels[:1])
        return lambda vectors, _: subject.generate(vectors), np.zeros((n, 0))
    from common.exploring.layers import split_at_embedding

    numbers = [class_number("--labels", x, subject.classes) for x in labels]
    code_of, model = split_at_embedding(subject.g_model)
    classes = np.resize(numbers, (n, 1)).astype("int32")
    codes = code_of.predict(classes, verbose=0)

    def generate(vectors, flat):
        inputs = [np.float32(vectors), np.float32(flat).reshape(-1, *codes.shape[1:])]
        images = model.predict(inputs, batch_size=100, verbose=0)
        return subject.checked(images.astype("float32"))

    return generate, codes.reshape(n, -1)


def paths(stops, codes, n, walk):
    """Return the paths from each stop to the next, each of n steps.

    Args:
        stops: float (p, latent_dim), latent vectors.
        codes: float (p, k), class embeddings, interpolated linearly.
        n: number of steps of a path.
        walk: `slerp` or `lerp`.

    Returns:
        list of p - 1 (latent vectors (n + 1, latent_dim), embeddings (n + 1, k)).
    """
    shares = np.linspace(0, 1, n + 1)
    return [
        (walk(stops[i], stops[i + 1], shares), lerp(codes[i], codes[i + 1], shares))
        for i in range(len(stops) - 1)
    ]


def steps_of(subject, images):
    """Return the length of each step, the root mean square difference of two images.

    Args:
        subject: subject.Subject.
        images: list of float32 (n + 1, h, w, c), one array per path.

    Returns:
        dict, "pixels" and perhaps "features" -> float (paths * n,), in this order.
    """
    spaces = {"pixels": subject.flat}
    if subject.real_or_none:
        spaces["features"] = subject.features
    found = {}
    for space, embed in spaces.items():
        rows = [embed(of_path) for of_path in images]
        scale = np.sqrt(rows[0].shape[1])  # turns the norm into the root mean square
        found[space] = np.concatenate([step_lengths(x) / scale for x in rows])
    return found


def describe(lengths):
    """Return a text about the step lengths of a path, float (n,)."""
    at = int(np.argmax(lengths))
    ratio = lengths[at] / max(np.median(lengths), 1e-12)
    beside = np.delete(lengths, at)[max(at - BESIDE, 0) : at + BESIDE]
    jump = ", a jump" if lengths[at] > JUMP * max(np.median(beside), 1e-12) else ""
    where = f"at {(at + 0.5) / len(lengths):.0%} of the path{jump}"
    return f"largest step {ratio:.1f} times the median, {where}; sum {lengths.sum():.3g}"


def save_curves(curves, names, path):
    """Plot the step lengths along the paths.

    Args:
        curves: dict, name of the walk -> dict of `steps_of`.
        names: of the stops.
        path: PNG to write.
    """
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
        axes[-1].set_xlabel(f"latent vector of seed ({STEPS} steps per path)")
        axes[-1].set_xticks(range(len(names)), names)


def save_loop(subject, stops, codes, generate, path):
    """Save the video of both walks, side by side, through all stops and back.

    Args:
        subject, stops, codes, generate: see `paths` and `generator_of_codes`.
        path: see `video.save_video`.
    """
    mixed = loop(codes, FRAMES, lerp)
    walks = [generate(loop(stops, FRAMES, walk), mixed) for walk in WALKS.values()]
    title = " | ".join(WALKS)

    def frames():
        for images in zip(*walks, strict=True):
            pictures = to_pictures(np.stack(images), subject.low)
            sheet = enlarged(tile(pictures, len(WALKS)), HEIGHT / pictures.shape[1])
            yield captioned(sheet, title)

    save_video(frames(), path, SECONDS)
