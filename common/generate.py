"""Generate images with a saved generator."""

import secrets
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.basics import cli
from common.basics.errors import UserError, as_user_error
from common.basics.files import check_new, new_path
from common.checkpoints import load_discriminator
from common.devices import set_up
from common.exploring.subject import Subject
from common.runs.models import find_model, list_models
from common.safety.arrays import check_file, read_array
from common.sampling import n_classes, takes_labels, with_labels

MAX_IMAGES = 100_000


def parse(argv):
    """Return the validated options as a Namespace."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] [MODEL]"
    add = parser.add_argument
    text = "an .h5 or .keras file; omit it to list all saved models"
    add("model", nargs="?", metavar="MODEL", help=text)
    text = "number of images (25), or per class with --grid-by-class (10)"
    add("-n", type=cli.whole_number(1, MAX_IMAGES), help=text)
    add("--seed", type=cli.seed_number, help="random seed of the latent vectors (random)")
    vectors = parser.add_mutually_exclusive_group().add_argument
    text = "one image from the constant latent vector (X, ..., X)"
    vectors("--vector", type=cli.number, metavar="X", help=text)
    vectors("--latent", metavar="FILE.npy", help="latent vectors (n, latent_dim)")
    classes = parser.add_mutually_exclusive_group().add_argument
    classes("--label", metavar="CLASS", help="generate this class, a name or index (all)")
    text = "a row per class, a column per latent vector"
    classes("--grid-by-class", action="store_true", help=text)
    add("--out", metavar="FILE.png", help="file of the grid (beside the model)")
    add("--images", metavar="DIR", help="save each image as a separate PNG")
    add("--discriminator", metavar="D_MODEL", help="print D's output under each image")
    cli.add_range(parser)
    add("--show", action="store_true", help="open the grid in a window")
    options = parser.parse_args(argv)
    options.n = options.n or (10 if options.grid_by_class else 25)
    return options


def latent_vectors(options, subject):
    """Return the latent vectors that the options select, or random ones.

    Args:
        options: Namespace of `parse`.
        subject: subject.Subject.

    Returns:
        float32 (n, latent_dim).

    Raises:
        UserError: the file of --latent does not hold such an array.
    """
    latent_dim = subject.latent_dim
    if options.vector is not None:
        return np.full((1, latent_dim), options.vector, "float32")
    if options.latent is None:
        seed = secrets.randbelow(2**32) if options.seed is None else options.seed
        print(f"seed: {seed}")
        return subject.latent_vectors(options.n, seed)
    check_file(options.latent)
    with as_user_error(f"--latent {options.latent} cannot be read", "save it again"):
        z = read_array(options.latent)
    if z.dtype.kind not in "uif":
        raise UserError(f"--latent {options.latent} has dtype {z.dtype}: save float32")
    with np.errstate(over="ignore"):  # becomes infinite, reported below
        z = np.atleast_2d(z.astype("float32"))
    if z.shape[1:] != (latent_dim,) or not 0 < len(z) <= MAX_IMAGES:
        raise UserError(
            f"--latent {options.latent} has shape {z.shape}: this generator takes "
            f"latent vectors of shape (n, {latent_dim}), n at most {MAX_IMAGES}"
        )
    if not np.isfinite(z).all():
        raise UserError(f"--latent {options.latent} is not finite: save finite numbers")
    return z


def discriminator_outputs(path, images, labels=None, n_classes_of_g=0):
    """Return the output of a saved D for each image: probability, score or energy.

    Args:
        path: path of a saved discriminator.
        images: float32 (n, h, w, c) in the range of G.
        labels: int (n,), classes of a conditional G, or None.
        n_classes_of_g: number of classes of G, 0 if it is unconditional.

    Returns:
        float32 (n,).

    Raises:
        UserError: it is not a discriminator, or its images or classes differ from G's.
    """
    d_model = load_discriminator(path)
    shape = d_model.inputs[0].shape[1:]
    if shape != images.shape[1:]:
        raise UserError(
            f"--discriminator {path} takes images of {shape}, this generator makes "
            f"{images.shape[1:]}: name the matching discriminator"
        )
    if not takes_labels(d_model):
        return d_model.predict(images, verbose=0)[:, 0]
    if n_classes(d_model) != n_classes_of_g:
        raise UserError(
            f"--discriminator {path}: its number of classes is {n_classes(d_model)}, the "
            f"generator's is {n_classes_of_g}: name the matching discriminator"
        )
    return d_model.predict(with_labels(images, labels), verbose=0)[:, 0]


@cli.command
def main(argv=None):
    """Save a grid of generated images."""
    options = parse(argv)
    if options.model is None:
        return list_models()
    path = find_model(options.model)
    check_outputs(options)
    from common import plotting

    set_up()
    subject = Subject(path, value_range=options.range)
    n = len(subject.classes)
    if n == 0 and (options.label or options.grid_by_class):
        raise UserError(
            f"{path} was not trained with --conditional: it takes no class; "
            "leave out --label and --grid-by-class"
        )
    z = latent_vectors(options, subject)
    if options.grid_by_class:
        columns = len(z)
        z, labels = np.tile(z, (n, 1)), np.repeat(np.arange(n), columns)
    else:
        columns = int(np.ceil(np.sqrt(len(z))))
        labels = subject.labels(len(z), options.label)
    images = subject.generate(z, labels)
    grid = Path(options.out or new_path(path.with_name(f"generated_by_{path.stem}.png")))
    if options.discriminator:
        d_path = find_model(options.discriminator)
        x = images * subject.file_high  # 255 if G and its D have images in 0..255
        captions = [f"{p:.2f}" for p in discriminator_outputs(d_path, x, labels, n)]
        plotting.save_captioned_grid(images, captions, grid, columns, subject.low)
    else:
        plotting.save_grid(images, grid, columns, subject.low)
    print(f"saved {grid}")
    if options.images:
        plotting.save_each(subject.to_bytes(images), Path(options.images))
    if options.show:
        plotting.show(grid)


def check_outputs(options):
    """Raise a UserError if an output exists, or if the grid is not a new PNG file."""
    if options.out:
        out = Path(options.out)
        if out.suffix != ".png":
            raise UserError(f"--out {out}: the file name must end in .png")
        if not out.parent.is_dir():
            raise UserError(f"--out {out}: the folder does not exist: create it")
        if out.exists():
            raise UserError(f"--out {out} already exists: choose a new file name")
    if options.images:
        check_new("--images", Path(options.images))


if __name__ == "__main__":
    main()
