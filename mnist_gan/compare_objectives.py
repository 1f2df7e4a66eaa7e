"""The same narrow models with every objective: pictures, numbers and minutes of each."""

import csv
import subprocess
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from common import cli
from common.devices import set_up
from common.objectives import OPTIONS
from common.runs import ROOT, new_run
from mnist_gan.load_data import DATA
from mnist_gan.quick import OPTIONS as QUICK

N_SCORED = 10_000
CRITICS = ("wgan", "wgan-gp")  # whose weights are drawn


def parse(argv):
    parser = cli.Parser(__doc__)
    cli.add_data(parser, DATA, default=DATA[0])
    add = parser.add_argument
    add("--seed", type=cli.seed_number, default=1, help="of every training (1)")
    text = f"of {QUICK['steps_per_epoch']} steps of G each ({QUICK['epochs']})"
    add("--epochs", type=cli.whole_number(1), default=QUICK["epochs"], help=text)
    add("--objectives", nargs="+", choices=OPTIONS, default=list(OPTIONS), metavar="NAME",
        help="of these only (all)")  # fmt: skip
    add("--run-dir", metavar="DIR", help="a new folder for the results")
    add("--resume", type=Path, metavar="DIR", help="go on with the results in DIR")
    return parser.parse_args(argv)


def train(objective, folder, options):
    """Run `train.py` in a process of its own, or go on with what is in its folder."""
    words = ["--epochs", str(options.epochs)]
    if (folder / "state.npz").exists():
        from common.checkpoints import finished_epochs

        if finished_epochs(folder) >= options.epochs:
            return
        words += ["--resume", folder]
    else:
        words += ["--preset", "quick", "--objective", objective, "--run-dir", folder]
        words += ["--data", options.data, "--seed", options.seed, "--precision", "auto"]
    script = ROOT / "mnist_gan" / "train.py"
    answer = subprocess.run([sys.executable, script, *map(str, words)])
    if answer.returncode:
        raise cli.UserError(f"{objective} stopped: go on with --resume {folder.parent}")


def minutes(folder):
    """How long the epochs of a run took."""
    with (folder / "times.csv").open() as lines:
        return sum(float(row["seconds"]) for row in csv.DictReader(lines)) / 60


def score_all(folders, data):
    """Score the last generator of every run.

    Args:
        folders: dict, objective -> run folder.
        data: see `datasets.load_images`.

    Returns:
        rows: list of dicts, what the table shows of each objective.
        samples: list of float32 (n, 28, 28, 1) in [0, 1].
    """
    set_up()
    from common.sampling import generate_images, generate_latent_points
    from mnist_gan.digit_classifier import last_generator, train_and_test

    judge, _, test = train_and_test(data)
    rows, samples = [], []
    for objective, folder in folders.items():
        g_model, latent_dim = last_generator(folder)
        rng = np.random.default_rng(1)
        points = generate_latent_points(latent_dim, N_SCORED, rng)
        images = generate_images(g_model, points)
        score = judge.score(images, test.pixels / 255)
        row = {
            "objective": objective,
            "distance": f"{score['distance']:.1f}",
            "confident": f"{score['confident']:.0%}",
            "digits seen": int(np.sum(score["classes"] >= 0.01)),
            "rarest": f"{score['classes'].min():.1%}",
            "commonest": f"{score['classes'].max():.1%}",
            "minutes": f"{minutes(folder):.1f}",
        }
        rows.append(row)
        samples.append(images)
    return rows, samples


def save_gallery(path, rows, samples):
    """Draw 24 images of each objective, with its name and distance above."""
    from matplotlib.figure import Figure

    from common.plotting import tile, to_pictures

    columns = min(3, len(rows))
    n_rows = -(-len(rows) // columns)
    figure = Figure(figsize=(4 * columns, 2.9 * n_rows), layout="constrained")
    axes = figure.subplots(n_rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.set_axis_off()
    for axis, row, images in zip(axes, rows, samples, strict=False):
        axis.imshow(tile(to_pictures(images[:24]), columns=6))
        axis.set_title(f"{row['objective']}: distance {row['distance']}")
    figure.savefig(path, dpi=80)


def save_critic_weights(path, folders):
    """Draw histograms of the weights of critics: what clipping does, and a penalty."""
    from matplotlib.figure import Figure

    from common.checkpoints import load_discriminator
    from common.plotting import by_epoch

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots(1, len(folders))
    for axis, (objective, folder) in zip(axes, folders.items(), strict=True):
        d_model = load_discriminator(by_epoch(folder.glob("discriminator_model_*"))[-1])
        kernels = [w.numpy().ravel() for w in d_model.weights if len(w.shape) > 1]
        axis.hist(np.concatenate(kernels), bins=100, color="tab:blue")
        axis.set(title=objective, xlabel="weight", ylabel="number of weights")
    figure.savefig(path, dpi=80)


@cli.command
def main(argv=None):
    """Train, score and draw; print the table."""
    options = parse(argv)
    if options.resume and not options.resume.is_dir():
        raise cli.UserError(f"--resume {options.resume} is not a folder")
    run = options.resume or new_run("mnist_gan", options.run_dir)
    folders = {objective: run / objective for objective in options.objectives}
    for objective, folder in folders.items():
        train(objective, folder, options)
    rows, samples = score_all(folders, options.data)
    with (run / "objectives.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print("| " + " | ".join(rows[0]) + " |\n" + "|---" * len(rows[0]) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row.values())) + " |")
    save_gallery(run / "objectives.png", rows, samples)
    critics = {name: folders[name] for name in CRITICS if name in folders}
    if len(critics) == len(CRITICS):
        save_critic_weights(run / "critic_weights.png", critics)
    print(f"saved objectives.png and objectives.csv in {run}")


if __name__ == "__main__":
    main()
