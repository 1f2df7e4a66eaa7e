"""Draw images with a generator that was saved by these scripts."""

import secrets
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.basics import cli
from common.basics.errors import UserError
from common.basics.files import check_new
from common.runs.models import find_model, list_models
from common.safety.arrays import check_declared, check_file
from common.sampling import (
    class_number,
    generate_images,
    generate_latent_points,
    n_classes,
    takes_labels,
    with_labels,
)

MOST = 100_000  # images


def parse(argv):
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] MODEL"
    add = parser.add_argument
    add("model", nargs="?", metavar="MODEL", help="an .h5 or .keras file; none: list all")
    text = "number of images (25), with --grid-by-class in a row (10)"
    add("-n", type=cli.whole_number(1, MOST), help=text)
    add("--seed", type=cli.seed_number, help="repeats the points (drawn)")
    points = parser.add_mutually_exclusive_group().add_argument
    points(
        "--vector", type=cli.number, metavar="X", help="one image: the point X, X, ..."
    )
    points("--latent", metavar="FILE.npy", help="these points: an array (n, latent_dim)")
    classes = parser.add_mutually_exclusive_group().add_argument
    classes("--label", metavar="CLASS", help="this class, by name or number (all)")
    text = "a row for each class, a column for each point"
    classes("--grid-by-class", action="store_true", help=text)
    add("--out", metavar="FILE.png", help="the grid (beside the model)")
    add("--images", metavar="DIR", help="also save each image as a PNG of its own")
    add("--verdict", metavar="D_MODEL", help="write what D says under each image")
    add("--show", action="store_true", help="open the grid in a window")
    options = parser.parse_args(argv)
    options.n = options.n or (10 if options.grid_by_class else 25)
    return options


def latent_points(options, latent_dim):
    """The points that the options ask for: float32 (n, latent_dim).

    Raises:
        UserError: the file of --latent is not such an array.
    """
    if options.vector is not None:
        return np.full((1, latent_dim), options.vector, "float32")
    if options.latent is None:
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        print(f"seed: {seed}")
        rng = np.random.default_rng(seed)
        return generate_latent_points(latent_dim, options.n, rng)
    check_file(options.latent)
    try:
        with Path(options.latent).open("rb") as file:
            check_declared(file, Path(options.latent).stat().st_size)
        points = np.load(options.latent, allow_pickle=False)
    except Exception as error:  # NumPy and zipfile raise a dozen kinds
        raise UserError(f"--latent {options.latent} cannot be read: {error}") from None
    if not isinstance(points, np.ndarray) or points.dtype.kind not in "uif":
        raise UserError(f"--latent {options.latent} is not a .npy array of numbers")
    with np.errstate(over="ignore"):  # what is too large becomes infinite: said below
        points = np.atleast_2d(points.astype("float32"))
    if points.ndim != 2 or points.shape[1] != latent_dim or len(points) == 0:
        raise UserError(
            f"--latent {options.latent} has shape {points.shape}: this generator takes "
            f"points of {latent_dim} numbers, so (n, {latent_dim})"
        )
    if len(points) > MOST:
        raise UserError(
            f"--latent {options.latent} has {len(points)} points: keep {MOST} at most"
        )
    if not np.isfinite(points).all():
        raise UserError(f"--latent {options.latent} has values that are not numbers")
    return points


def labels_for(options, n_points, names, path):
    """The class of each image that the options ask for, where G draws classes.

    Args:
        options: Namespace, see `parse`.
        n_points: number of latent points.
        names: of the classes, in their order; empty where G knows none.
        path: of G, for the messages.

    Returns:
        int (n,), n_points for each class with `--grid-by-class`, or None.

    Raises:
        UserError: G draws no classes, or not this one.
    """
    if not names:
        if options.label or options.grid_by_class:
            raise UserError(
                f"{path} was not trained with --conditional: it cannot be told a class; "
                "leave out --label and --grid-by-class"
            )
        return None
    if options.grid_by_class:
        return np.repeat(np.arange(len(names)), n_points)
    if options.label is None:
        return np.arange(n_points) % len(names)
    return np.full(n_points, class_number("--label", options.label, names))


def judge(path, images, labels=None, n_drawn=0):
    """What a saved D says of each image: its probability, score or energy, (n,).

    Args:
        path: file of a discriminator.
        images: float32 (n, h, w, c) in the range that G makes.
        labels: int (n,), where G draws classes.
        n_drawn: number of the classes that G draws.

    Raises:
        UserError: it is not a discriminator, or one of other images.
    """
    from common.checkpoints import load_discriminator

    d_model = load_discriminator(path)
    shape = d_model.inputs[0].shape[1:]
    if shape != images.shape[1:]:
        raise UserError(
            f"--verdict {path} judges images of {shape}, "
            f"this generator makes {images.shape[1:]}"
        )
    if takes_labels(d_model) and labels is None:
        raise UserError(f"--verdict {path} judges by classes, this generator has none")
    if takes_labels(d_model) and n_classes(d_model) != n_drawn:
        raise UserError(
            f"--verdict {path} judges by {n_classes(d_model)} classes, this generator "
            f"draws {n_drawn}"
        )
    inputs = with_labels(images, labels) if takes_labels(d_model) else images
    return d_model.predict(inputs, verbose=0)[:, 0]


@cli.command
def main(argv=None):
    """Save a grid of generated images."""
    options = parse(argv)
    if options.model is None:
        return list_models()
    path = find_model(options.model)
    check_outputs(options)
    from common import plotting
    from common.checkpoints import class_names, load_generator
    from common.devices import set_up

    set_up()
    g_model, latent_dim, (low, high) = load_generator(path)
    names = class_names(path, n_classes(g_model)) if takes_labels(g_model) else ()
    points = latent_points(options, latent_dim)
    labels = labels_for(options, len(points), names, path)
    columns = int(np.ceil(np.sqrt(len(points))))
    if options.grid_by_class:
        columns, points = len(points), np.tile(points, (len(names), 1))
    raw = generate_images(g_model, points, labels)
    if not np.isfinite(raw).all():
        raise UserError(f"{path} makes values that are no numbers: name other points")
    verdict = None
    if options.verdict:
        verdict = judge(find_model(options.verdict), raw, labels, len(names))
    grid = Path(options.out) if options.out else free_name(path)
    try:
        if verdict is None:
            plotting.save_grid(raw, grid, columns, low)
        else:
            captions = [f"{p:.2f}" for p in verdict]
            plotting.save_captioned_grid(raw, captions, grid, columns, low)
        print(f"saved {grid}")
        if options.images:
            save_each((raw - low) / (high - low), Path(options.images))
    except OSError as error:
        raise UserError(f"cannot save: {error}; name another place") from None
    if options.show:
        plotting.show(grid)


def check_outputs(options):
    """Before any work: nothing is overwritten, and the grid is a PNG."""
    if options.out and Path(options.out).suffix != ".png":
        raise UserError(f"--out {options.out} must end in .png")
    if options.out and not Path(options.out).parent.is_dir():
        raise UserError(
            f"--out {options.out}: there is no folder {Path(options.out).parent}"
        )
    if options.out and Path(options.out).exists():
        raise UserError(f"--out {options.out} exists already: name a new file")
    if options.images:
        check_new("--images", Path(options.images))


def free_name(model):
    """Beside the model: `generated_by_generator_model_010.png`, or with `_2`, `_3`..."""
    name, number = f"generated_by_{model.stem}", 1
    while (path := model.with_name(f"{name}{f'_{number}' * (number > 1)}.png")).exists():
        number += 1
    return path


def save_each(images, folder):
    """Save every image as `0000.png`, `0001.png`, ... in a new folder."""
    from PIL import Image

    folder.mkdir(parents=True)
    pixels = np.round(np.clip(images, 0, 1) * 255).astype("uint8")
    for i, image in enumerate(pixels):
        grey = image.shape[-1] == 1
        Image.fromarray(image[..., 0] if grey else image).save(folder / f"{i:04d}.png")
    print(f"saved {len(images)} images in {folder}")


if __name__ == "__main__":
    main()
