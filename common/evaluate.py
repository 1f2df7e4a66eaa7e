"""Score generated images: distances to real images, precision, recall, and copies."""

import sys
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.basics.errors import UserError, as_user_error
from common.basics.files import check_new
from common.checkpoints import load_generator
from common.data.datasets import show_notice
from common.data.sources import DATA
from common.devices import peak_bytes, set_up
from common.plotting import save_each
from common.runs import folder as runs
from common.runs.layout import METRICS, SCORES
from common.runs.models import find_models
from common.runs.record import read_options
from common.sampling import n_classes, takes_labels
from common.scores import references
from common.scores.best import best_of, save_curves
from common.scores.features import SOURCES, choose_features
from common.scores.report import Report, means, nearest_picture
from common.scores.scorer import N, Scorer

N_REPEATS = 3  # samplings per generator


def parse(argv):
    """Return the validated options as a Namespace."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] MODEL | RUN | --images DIR"
    add = parser.add_argument
    text = "a saved generator, or a run folder: all its generators"
    add("target", nargs="?", metavar="MODEL|RUN", help=text)
    add("--images", metavar="DIR", help="score the pictures of a folder or zip instead")
    text = f"real images: {', '.join(DATA)} or a path (the run's own, else auto)"
    add("--data", type=cli.data_source(DATA), metavar="DATA", help=text)
    add("--split", choices=("train", "test"), default="train", help="data split (train)")
    text = "number of real and of generated images (10000, or what the data allows)"
    add("-n", type=cli.whole_number(references.MIN_IMAGES, 10**6), help=text)
    text = "number of samplings, for the standard deviation (3)"
    add("--repeats", type=cli.whole_number(1, 100), default=N_REPEATS, help=text)
    add("--seed", type=cli.seed_number, default=0, help="seed of the latent vectors (0)")
    text = f"network whose features are compared: {SOURCES} (classifier)"
    add("--features", default="classifier", metavar="F", help=text)
    cli.add_range(parser)
    add("--export", metavar="DIR", help="save N images as PNGs for other programs")
    add("--run-dir", metavar="DIR", help="a new folder for the results (the run's own)")
    options = parser.parse_args(argv)
    if (options.target is None) == (options.images is None):
        given = "both" if options.target else "nothing"
        raise UserError(f"expected a MODEL, a RUN or --images DIR, got {given}: name one")
    if options.export:
        check_new("--export", Path(options.export))
    folder = options.run_dir and Path(options.run_dir)
    if folder and folder.is_dir() and any(folder.iterdir()):
        raise UserError(f"--run-dir {options.run_dir} is not empty: choose a new one")
    if options.export and options.images:
        raise UserError("--export: these images are files already; leave it out")
    return options


def make_scorer(options, train, test):
    """Return the `scorer.Scorer` of the options.

    Raises:
        UserError: there is no such split, or it has too few images.
    """
    show_notice(train)
    if options.split == "test" and test is None:
        raise UserError(f"--split test: {train.name} has no held-out images; use train")
    n_real = len(test.pixels if options.split == "test" else train.pixels)
    n_min = 2 * references.MIN_IMAGES  # real images may be compared in two parts
    if n_real < n_min:
        raise UserError(
            f"{train.name}: expected at least {n_min} images, found {n_real}: name a "
            "larger set with --data"
        )
    features = choose_features(options.features, train, test)
    return Scorer(train, test, features, options.n, options.split)


def evaluate_models(options, models, run):
    """Score saved generators, and print the best."""
    from common.fitting.tracking import log_scores

    g_model = load_generator(models[0], options.range)[0]
    if run and options.data is None:
        train, test = references.reference_of(read_options(run), run)
    else:
        shape = g_model.output_shape[1:]
        train, test = references.load_reference(options.data or "auto", shape)
    check_compatible(g_model, models[0].name, train)
    scorer = make_scorer(options, train, test)
    folder = result_folder(options, run if options.data is None else None)
    report = Report(scorer, folder, options.seed, options.repeats)
    protocol = (options.data, options.split, options.n, options.features)
    is_default = protocol == (None, "train", None, "classifier")  # as --evaluate-every
    records = []
    for model in models:
        g_model = load_generator(model, options.range)[0]
        try:
            records.append(report.score_generator(g_model, model.name))
        except UserError as error:  # other snapshots may be valid
            print(f"{model.name} is not scored: {error}", flush=True)
            continue
        epoch = records[-1]["epoch"]
        if run and epoch is not None and is_default:
            log_scores(run, epoch, means(records[-1]))
    if not records:
        raise UserError(f"{options.target}: all models fail, see above: use another run")
    name, best, others = best_of(records)
    files = [METRICS, nearest_picture(best["model"], best["epoch"])]
    if len(records) > 1:
        text = f"; within two standard deviations: {', '.join(others)}" if others else ""
        print(f"best by {report.rows[name].title}: {best['model']}{text}")
        save_curves(records, report.real_baseline["scores"], folder / SCORES)
        files.append(SCORES)
    report.print_table(best)
    print(f"saved {', '.join(files)} in {folder}")
    if options.export:
        path = models[0].with_name(best["model"])
        g_model = load_generator(path, options.range)[0]
        pixels, _ = scorer.sample(g_model, [options.seed, 0])
        save_each(pixels, Path(options.export))


def check_compatible(g_model, name, train):
    """Raise a UserError if a generator and the real images differ in shape or classes."""
    references.check_shape(g_model.output_shape[1:], train, name)
    if takes_labels(g_model) and n_classes(g_model) != len(train.classes):
        raise UserError(
            f"{name}: its number of classes is {n_classes(g_model)}, that of "
            f"{train.name} is {len(train.classes)}: name matching images with --data"
        )


def evaluate_images(options):
    """Score the pictures of a folder or zip."""
    shape = references.first_shape(options.images)
    train, test = references.load_reference(options.data or "auto", shape)
    real_shape = train.pixels.shape[1:]
    pixels = references.read_pictures(options.images, real_shape, options.n or N)
    scorer = make_scorer(options, train, test)
    scorer.n = min(scorer.n, len(pixels))
    pixels = pixels[: scorer.n]
    if shape != real_shape:
        resize = f"{shape} to {real_shape} by Lanczos, antialiased"
        scorer.features = scorer.features._replace(resize=resize)
    folder = result_folder(options, None)
    report = Report(scorer, folder, repeats=1)
    report.print_table(report.score_images(pixels, Path(options.images).name))
    print(f"saved {METRICS} and a picture of the nearest training images in {folder}")


def result_folder(options, run):
    """Return the folder for the results: the run's or a new one."""
    if run and options.run_dir is None:
        with as_user_error(f"cannot write into {run}", "name a folder with --run-dir"):
            runs.check_writable(run)
        return run
    return runs.new_run("evaluate", options.run_dir)


@cli.command
def main(argv=None):
    """Score models or pictures, print the scores and save them."""
    started, options = time.time(), parse(argv)
    models, run = find_models(options.target) if options.target else ([], None)
    set_up()
    if options.images:
        evaluate_images(options)
    else:
        evaluate_models(options, models, run)
    peak = peak_bytes() / 2**20
    print(f"took {time.time() - started:.0f} s; peak memory {peak:.0f} MiB")


if __name__ == "__main__":
    main()
