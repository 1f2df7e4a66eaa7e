"""Train models that differ in one option, and tabulate their scores and times."""

import csv
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common.basics import cli
from common.checkpoints import load_discriminator, load_generator
from common.data.mnist import load_images
from common.devices import set_up
from common.objectives.table import OPTIONS
from common.plotting import new_figure, save_titled, tile, to_pictures
from common.runs import layout
from common.runs.folder import new_run
from common.runs.record import ROOT, read_options
from common.runs.state import find_state
from common.runs.tables import markdown_table, read_columns
from common.scores.references import load_reference
from common.scores.scorer import classifier_scorer
from common.scores.table import scores_of
from mnist_gan.load_data import DATA

CRITICS = ("wgan", "wgan-gp")  # objectives whose D's weights are plotted
QUICK = "--preset quick"
SMALL = "--architecture flexible --width 0.25 --batch-size 64 --steps-per-epoch 450"
TABLES = {  # name of a table -> name of a training -> its options
    "objectives": {name: f"{QUICK} --objective {name}" for name in OPTIONS},
    "conditions": {
        "none": QUICK,
        "concat": f"{QUICK} --conditional",
        "hadamard": f"{QUICK} --conditional --condition hadamard",
        "classify": f"{QUICK} --conditional --condition classify",
        "concat, wrong labels": f"{QUICK} --conditional --wrong-labels",
    },
    "extensions": {  # the tutorial's models, a quarter of the filters and batch size
        "tutorial": SMALL,
        "tanh": f"{SMALL} --output tanh",
        "latent-dim 20": f"{SMALL} --latent-dim 20",
        "latent-dim 500": f"{SMALL} --latent-dim 500",
        "batch": f"{SMALL} --normalization batch",
        "batch, separate batches": f"{SMALL} --normalization batch --d-batches separate",
        "layer": f"{SMALL} --normalization layer",
        "spectral": f"{SMALL} --normalization spectral",
        "resize": f"{SMALL} --upsampling resize",
        "label-smoothing 0.1": f"{SMALL} --label-smoothing 0.1",
        "label-noise 0.05": f"{SMALL} --label-noise 0.05",
        "twice as wide": f"{SMALL} --width 0.5",
        "depth 1": f"{SMALL} --depth 1",
        "no dropout": f"{SMALL} --dropout 0",
        "rmsprop": f"{SMALL} --optimizer rmsprop",
        "D's rate x 4": f"{SMALL} --d-learning-rate 0.0008",
        "G's rate x 4": f"{SMALL} --g-learning-rate 0.0008",
        "ema 0.99": f"{SMALL} --ema 0.99",
        "augment": f"{SMALL} --augment",
    },
}


def parse(argv):
    """Return the validated options of the command line, a Namespace."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s [options] TABLE"
    add = parser.add_argument
    add("table", choices=TABLES, metavar="TABLE", help=", ".join(TABLES))
    cli.add_data(parser, DATA, default=DATA[0])
    add("--seed", type=cli.seed_number, default=1, help="seed of each training (1)")
    add("--epochs", type=cli.whole_number(1), default=8, help="epochs of 450 steps (8)")
    add("--only", nargs="+", metavar="NAME", help="only these rows of the table (all)")
    add("--run-dir", metavar="DIR", help="new folder for the results")
    add("--resume", type=Path, metavar="DIR", help="resume the comparison in DIR")
    options = parser.parse_args(argv)
    rows = TABLES[options.table]
    if unknown := set(options.only or ()) - set(rows):
        raise cli.UserError(
            f"--only {unknown.pop()!r}: choose from the rows of {options.table}: "
            f"{', '.join(map(repr, rows))}"
        )
    return options


def train(arguments, folder, options):
    """Run `train.py` in a new process, or resume the training in its folder.

    Args:
        arguments: options of `train.py`, separated by spaces.
        folder: Path of the run folder.
        options: Namespace of `parse`.

    Raises:
        UserError: the training failed, or the folder has other data or another seed.
    """
    if (folder / layout.STATE).exists():
        before = read_options(folder)["options"]
        if (before["data"], before["seed"]) != (options.data, options.seed):
            raise cli.UserError(
                f"--resume: {folder} was trained with --data {before['data']} --seed "
                f"{before['seed']}: give the same, or name a new folder"
            )
        if find_state(folder)[1].epoch >= options.epochs:
            return
        words = ["--resume", folder]
    else:
        words = ["--run-dir", folder, "--data", options.data, "--seed", options.seed]
        words += ["--precision", "auto", "--save-every", options.epochs]
        words += ["--on-collapse", "warn"]  # a failure is a result
        words += arguments.split()
    words = map(str, [ROOT / "mnist_gan/train.py", "--epochs", options.epochs, *words])
    if subprocess.run([sys.executable, *words]).returncode:
        raise cli.UserError(f"{folder.name} failed: resume with --resume {folder.parent}")


def training_times(folder):
    """Return the minutes of all epochs, and milliseconds per step of the median epoch."""
    seconds = read_columns(folder / layout.TIMES)["seconds"]
    n_steps = read_columns(folder / layout.HISTORY)["step"].max()
    return seconds.sum() / 60, 1000 * np.median(seconds) / n_steps


def score_all(folders, data):
    """Score the last generator of every run.

    Args:
        folders: dict, name -> run folder.
        data: see `mnist.load_images`.

    Returns:
        rows: list of dicts, column of the table -> text; the second column is the
            Frechet distance, with its network and n.
        samples: list of float32 (24, 28, 28, 1) in [0, 1].
    """
    set_up()
    scorer = classifier_scorer(*load_reference(data, (28, 28, 1)))
    title = scores_of(scorer.features.name)["fd"].title
    distance, rows, samples = f"{title}, n = {scorer.n:,}", [], []
    for name, folder in folders.items():
        g_model = load_generator(layout.files_of_epochs(folder, layout.GENERATOR)[-1])[0]
        pixels, labels = scorer.sample(g_model, seed=0)
        scores = scorer.score(pixels, labels)
        minutes, milliseconds = training_times(folder)
        row = {
            "name": name,
            distance: f"{scores['fd']:.2f}",
            **{x: f"{scores[x]:.2f}" for x in ("precision", "recall", "coverage")},
            "confident": f"{scores['confident']:.0%}",
            "digits seen": scores["classes_seen"],
            "commonest": f"{scores['commonest']:.1%}",
            "class accuracy": "" if labels is None else f"{scores['agreement']:.1%}",
            "minutes": f"{minutes:.1f}",
            "ms a step": f"{milliseconds:.0f}",
        }
        rows.append(row)
        samples.append(pixels[:24] / np.float32(255))
    return rows, samples


def save_gallery(path, rows, samples):
    """Save 24 images of each training, with its name and Frechet distance as title.

    Args:
        path: PNG to write.
        rows, samples: see `score_all`.
    """
    pictures = [tile(to_pictures(images), columns=6) for images in samples]
    name, distance, *_ = rows[0]
    titles = [f"{row[name]}\n{distance}: {row[distance]}" for row in rows]
    save_titled(pictures, titles, path, min(3, len(rows)), (4, 3.4), dpi=80)


def save_critic_weights(path, folders):
    """Plot histograms of D's weights, with weight clipping and with a gradient penalty.

    Args:
        path: PNG to write.
        folders: dict, objective -> run folder.
    """
    with new_figure(path, (9, 3.4), columns=len(folders), dpi=80) as (_, axes):
        for axis, (objective, folder) in zip(axes, folders.items(), strict=True):
            models = layout.files_of_epochs(folder, layout.DISCRIMINATOR)
            d_model = load_discriminator(models[-1])
            kernels = [w.numpy().ravel() for w in d_model.weights if len(w.shape) > 1]
            axis.hist(np.concatenate(kernels), bins=100, color="tab:blue")
            axis.set(title=objective, xlabel="weight", ylabel="number of weights")


@cli.command
def main(argv=None):
    """Train and score the models of a table; print the table; save it and its images."""
    options = parse(argv)
    if options.resume and not options.resume.is_dir():
        raise cli.UserError(f"--resume {options.resume} is not a folder: check the path")
    load_images(options.data)  # reports missing images before the first training
    run = options.resume or new_run("mnist_gan", options.run_dir)
    table = TABLES[options.table]
    folders = {name: run / name.replace(" ", "_") for name in options.only or table}
    for name, folder in folders.items():
        train(table[name], folder, options)
    rows, samples = score_all(folders, options.data)
    with (run / f"{options.table}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(markdown_table([row.values() for row in rows], rows[0]))
    save_gallery(run / f"{options.table}.png", rows, samples)
    critics = {name: folders[name] for name in CRITICS if name in folders}
    if len(critics) == len(CRITICS):
        save_critic_weights(run / "critic_weights.png", critics)
    print(f"saved {options.table}.png and {options.table}.csv in {run}")


if __name__ == "__main__":
    main()
