"""Interpolate between latent vectors, linearly (lerp) and spherically (slerp).

What to look for: if every step changes the image a little, through plausible images, G
has learned a continuous space of images and has not memorized the training images. A jump
in the curve, a step much longer than its neighbours, shows a discontinuity. A broad peak
shows a region where the image changes fast. The latent vectors on the straight line have
smaller norms than nearly all latent vectors in training; the arc keeps the norm.

Sources: Radford et al. (2016), "DCGAN", section 6.1; White (2016), "Sampling Generative
Networks".
"""

from itertools import pairwise

import numpy as np

from common.basics.cli import seed_number
from common.basics.errors import UserError
from common.exploring.geometry import closed_path, lerp, slerp, step_lengths
from common.exploring.pictures import save_rows
from common.plotting import enlarged, new_figure, tile, to_pictures
from common.runs.video import captioned, save_video
from common.sampling import class_number

METHODS = {"straight": lerp, "arc": slerp}
STEPS, STEPS_PER_COLUMN = 60, 6  # in a path; between two images of the grid
LOOP_STEPS, FRAME_SECONDS = 20, 0.08  # in a path of the video; duration of a frame
MIN_HEIGHT = 280  # pixels: minimum height of an image in the video
JUMP_RATIO, N_NEIGHBOURS = 3, 5  # a jump is 3 times the median of 5 steps on each side


def add_options(parser):
    add = parser.add_argument
    text = "seeds of the latent vectors to visit (default: --seed and the next two)"
    add("--seeds", nargs="+", type=seed_number, metavar="SEED", help=text)
    text = "class of each latent vector, or one for all; embeddings are interpolated"
    add("--labels", nargs="+", metavar="CLASS", help=text)


def run(subject, options, folder):
    """Save grid.png, the step lengths as steps.png, and the video of the closed path.

    Args:
        subject: subject.Subject.
        options: Namespace with seeds, seed and labels.
        folder: Path of the folder for the results.

    Raises:
        UserError: there are fewer than two seeds, two latent vectors are opposite, or the
            number of classes is not 1 or the number of seeds.
    """
    seeds = options.seeds or [(options.seed + i) % 2**32 for i in range(3)]
    labels = options.labels or list(subject.classes[:1])
    if len(seeds) < 2:
        raise UserError(f"--seeds: expected at least 2 seeds, got {len(seeds)}: add one")
    if len(labels) not in (0, 1, len(seeds)):
        raise UserError(
            f"--labels: expected one class for all seeds, or one for each of the "
            f"{len(seeds)} seeds, got {len(labels)}: add or omit some"
        )
    generate, embeddings = generator_from_embeddings(subject, labels, len(seeds))
    waypoints = np.stack([subject.latent_vector(x) for x in seeds]).astype("float64")
    try:
        closed_path(waypoints, 1)
    except ValueError as error:
        raise UserError(f"--seeds: {error}; replace one seed") from None
    grid, curves = [], {}
    for name, interpolate in METHODS.items():
        images = [generate(*x) for x in paths(waypoints, embeddings, interpolate)]
        grid.append([path[::STEPS_PER_COLUMN] for path in images])
        curves[name] = image_step_lengths(subject, images)
        for space, lengths in curves[name].items():
            for i, path in enumerate(np.split(lengths, len(images))):
                title = f"{seeds[i]} to {seeds[i + 1]}, {name}, {space}"
                print(f">{title}: {describe(path)}")
    rows = [row for both in zip(*grid, strict=True) for row in both]
    names = list(map(str, seeds))
    if labels:
        labels = np.resize(labels, len(seeds))
        names = [f"{seed} as {label}" for seed, label in zip(seeds, labels, strict=True)]
    captions = [f"{a} to {b}\n{name}" for a, b in pairwise(names) for name in METHODS]
    save_rows(rows, captions, folder / "grid.png", subject.low)
    save_curves(curves, names, folder / "steps.png")
    save_loop(subject, waypoints, embeddings, generate, folder / "loop")


def generator_from_embeddings(subject, labels, n):
    """Return a function that generates images from latent vectors and class embeddings.

    Args:
        subject: subject.Subject.
        labels: list of n class names, or of one for all; empty if G is unconditional.
        n: number of latent vectors to visit.

    Returns:
        a function: latent vectors (m, latent_dim) and embeddings (m, k) -> images,
        float32 (m, h, w, c); and the embeddings of the classes, float (n, k). k = 0 if G
        is unconditional.

    Raises:
        UserError: a class does not exist.
    """
    if not subject.classes:
        subject.labels(1, *labels[:1])
        return lambda vectors, _: subject.generate(vectors), np.zeros((n, 0))
    from common.exploring.layers import split_at_embedding

    numbers = [class_number("--labels", x, subject.classes) for x in labels]
    embed, model = split_at_embedding(subject.g_model)
    classes = np.resize(numbers, (n, 1)).astype("int32")
    embeddings = embed.predict(classes, verbose=0)
    shape = embeddings.shape[1:]

    def generate(vectors, rows):
        inputs = [np.float32(vectors), np.float32(rows).reshape(-1, *shape)]
        images = model.predict(inputs, batch_size=100, verbose=0)
        return subject.require_finite(images.astype("float32"))

    return generate, embeddings.reshape(n, -1)


def paths(waypoints, embeddings, interpolate):
    """Return the paths from each waypoint to the next, each of STEPS steps.

    Args:
        waypoints: float (p, latent_dim), latent vectors.
        embeddings: float (p, k), class embeddings, interpolated linearly.
        interpolate: `slerp` or `lerp`.

    Returns:
        list of p - 1 tuples: latent vectors (STEPS + 1, latent_dim), embeddings
        (STEPS + 1, k).
    """
    t = np.linspace(0, 1, STEPS + 1)
    ends = zip(pairwise(waypoints), pairwise(embeddings), strict=True)
    return [(interpolate(*z, t), lerp(*classes, t)) for z, classes in ends]


def image_step_lengths(subject, images):
    """Return the length of each step, the root mean square difference of two images.

    Args:
        subject: subject.Subject.
        images: list of float32 (n + 1, h, w, c), one array per path.

    Returns:
        dict: "pixels" and, if there are real images, "features" -> float (p * n,) for p
        paths of n steps.
    """
    spaces = {"pixels": subject.flatten}
    if subject.real_or_none:
        spaces["features"] = subject.features
    lengths = {}
    for space, to_rows in spaces.items():
        rows = [to_rows(path) for path in images]
        scale = np.sqrt(rows[0].shape[1])  # converts a norm to a root mean square
        lengths[space] = np.concatenate([step_lengths(x) / scale for x in rows])
    return lengths


def describe(lengths):
    """Return a str: size and position of the largest of the step lengths, float (n,)."""
    i = int(np.argmax(lengths))
    ratio = lengths[i] / max(np.median(lengths), 1e-12)
    neighbours = np.delete(lengths, i)[max(i - N_NEIGHBOURS, 0) : i + N_NEIGHBOURS]
    is_jump = lengths[i] > JUMP_RATIO * max(np.median(neighbours), 1e-12)
    where = f"{(i + 0.5) / len(lengths):.0%} of the path{', a jump' if is_jump else ''}"
    return (
        f"largest step {ratio:.1f} times the median, at {where}; sum {sum(lengths):.3g}"
    )


def save_curves(curves, names, path):
    """Plot the step lengths along the paths.

    Args:
        curves: dict, key of METHODS -> dict, see `image_step_lengths`.
        names: list of str, names of the waypoints.
        path: PNG to write.
    """
    spaces = {
        "pixels": "in grey levels (root mean\nsquare, of 0 to 1)",
        "features": "in the classifier's features\n(root mean square)",
    }
    rows = len(curves["arc"])
    with new_figure(path, (8, 1 + 2.2 * rows), rows, sharex=True) as (_, axes):
        for axis, (space, text) in zip(axes, spaces.items(), strict=False):
            for name, lengths in curves.items():
                positions = (np.arange(len(lengths[space])) + 0.5) / STEPS
                axis.plot(positions, lengths[space], label=name)
            axis.set(ylabel=f"length of a step\n{text}", ylim=(0, None))
        axes[0].legend(frameon=False)
        axes[-1].set_xlabel(f"seed of the latent vector ({STEPS} steps per path)")
        axes[-1].set_xticks(range(len(names)), names)


def save_loop(subject, waypoints, embeddings, generate, path):
    """Save a video of both interpolations, side by side, through all waypoints and back.

    Args:
        subject, generate: see `generator_from_embeddings`.
        waypoints, embeddings: see `paths`.
        path: see `video.save_video`.
    """
    classes = closed_path(embeddings, LOOP_STEPS, lerp)
    loops = [closed_path(waypoints, LOOP_STEPS, x) for x in METHODS.values()]
    images = [generate(vectors, classes) for vectors in loops]
    pictures = to_pictures(np.stack(images, axis=1), subject.low)
    zoom, title = MIN_HEIGHT / subject.shape[0], " | ".join(METHODS)
    frames = (enlarged(tile(both, len(images)), zoom) for both in pictures)
    save_video((captioned(frame, title) for frame in frames), path, FRAME_SECONDS)
