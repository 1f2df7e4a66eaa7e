"""Command lines: options parsed before Keras is imported, one sentence for an error.

Nothing here is slow to import, so that `--help` and a wrong option answer at once.
"""

import argparse
import functools
import math
import secrets
import signal
import sys
from pathlib import Path

from common.errors import UserError
from common.runs import resumed_options


class Terminated(KeyboardInterrupt):
    """SIGTERM, treated as Ctrl-C is."""


def command(main):
    """Decorate a script's `main(argv)`: exit codes 2, 130 and 143 instead of tracebacks.

    A UserError, or a file that cannot be read or written, is told in one sentence on
    standard error and exits with 2; Ctrl-C exits with 130 and SIGTERM with 143, after
    whatever the script does about them.
    """

    @functools.wraps(main)
    def run(argv=None):
        before = signal.signal(signal.SIGTERM, _terminate)
        try:
            main(argv)
        except (UserError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            raise SystemExit(2) from None
        except KeyboardInterrupt as stop:
            raise SystemExit(143 if isinstance(stop, Terminated) else 130) from None
        finally:
            signal.signal(signal.SIGTERM, before)

    return run


def _terminate(signum, frame):
    raise Terminated


FLOAT32_MAX = 3.4e38


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that shows a script's docstring and raises UserError."""

    def __init__(self, doc):
        super().__init__(
            usage="%(prog)s [options]",
            description=doc.strip().splitlines()[0],
            allow_abbrev=False,
            formatter_class=lambda prog: argparse.HelpFormatter(
                prog, max_help_position=26, width=100
            ),
        )

    def error(self, message):
        raise UserError(f"{message} (see --help)")


def whole_number(at_least, at_most=math.inf, even=False):
    """A type for add_argument: a whole (and even) number in these bounds."""
    wanted = f"{'an even' if even else 'a whole'} number of at least {at_least}"
    if at_most < math.inf:
        wanted += f" and at most {at_most}"

    def parse(text):
        try:
            number = int(text)
        except ValueError:
            number = None
        if number is None or not at_least <= number <= at_most or (even and number % 2):
            raise argparse.ArgumentTypeError(f"must be {wanted}, not {text!r}")
        return number

    return parse


def number(text):
    """A type for add_argument: a number that is finite in float32."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) < FLOAT32_MAX:  # also where it is not a number
        raise argparse.ArgumentTypeError(f"must be a finite number, not {text!r}")
    return value


def positive(text):
    """A type for add_argument: a finite number above 0."""
    value = number(text)
    if value <= 0:
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return value


seed_number = whole_number(0, at_most=2**32 - 1)  # what NumPy's global state takes


def share(text):
    """A type for add_argument: a number above 0 and at most 1."""
    value = positive(text)
    if value > 1:
        raise argparse.ArgumentTypeError(f"must be at most 1, not {text!r}")
    return value


def data_source(names):
    """A type for add_argument: one of these names, or a path, which is made absolute."""

    def parse(text):
        if text in names:
            return text
        if not text:
            raise argparse.ArgumentTypeError("is empty: name a file or a folder")
        try:
            return str(Path(text).expanduser().absolute())
        except RuntimeError:
            raise argparse.ArgumentTypeError(
                f"there is no home folder in {text!r}"
            ) from None

    return parse


def add_data(parser, names, default=None):
    """Add `--data` for these names of sets of images."""
    text = f"{', '.join(names)}, or a path ({names[0]})"
    parser.add_argument(
        "--data", type=data_source(names), default=default, help=text, metavar="DATA"
    )


def step_options(argv, doc, data=None, more=None):
    """Options of the scripts that show one step: where results go, the seed, the data.

    Args:
        argv: list of words, or None for the command line's.
        doc: the script's docstring; its first line heads the help.
        data: names for `--data`, the default first; None: no such option.
        more: function that adds options of its own to the parser.
    """
    parser = Parser(doc)
    if data:
        add_data(parser, data, default=data[0])
    if more:
        more(parser)
    parser.add_argument("--seed", type=seed_number, help="repeats the outcome")
    parser.add_argument("--run-dir", metavar="DIR", help="a new folder for the results")
    return parser.parse_args(argv)


DEFAULTS = {
    "data": "auto",
    "seed": None,  # None: one is drawn, and recorded
    "steps_per_epoch": None,  # None: images // batch_size, but at least 100
    "run_dir": None,
    "resume": None,
    "precision": "float32",
    "device": "auto",
    "preset": None,
    "dry_run": False,
}
DRY_RUN = {"data": "synthetic", "epochs": 1, "steps_per_epoch": 2, "batch_size": 16}


def training_options(argv, doc, script, data, tutorial, presets, more=None):
    """The options of a `train.py`: those typed, else the preset's, else the tutorial's.

    Args:
        argv: list of words, or None for the command line's.
        doc: the script's docstring; its first line heads the help.
        script: path of the script below the repository, "mnist_gan/train.py".
        data: names for `--data`, the default first.
        tutorial: dict of the values of epochs, batch_size, halves, latent_dim,
            learning_rate and save_every, and of the script's own options.
        presets: dict, name of a preset -> dict of the options that it changes.
        more: function that adds the script's own options to a group.

    Returns:
        a Namespace of all options; with --resume those of the run that is resumed.

    Raises:
        UserError: an option is unknown, its value is out of range, or it differs from
            that of the run to be resumed.
    """
    defaults = {**DEFAULTS, **tutorial}
    parser = _training_parser(doc, data, defaults, presets, more)
    words = vars(parser.parse_args(argv))
    given = {name: value for name, value in words.items() if value is not None}
    if "resume" in given:
        if "run_dir" in given:
            raise UserError("--resume goes on in the run's own folder: omit --run-dir")
        resumed = resumed_options(given["resume"], script, given)
        return argparse.Namespace(**{**defaults, **resumed})
    preset = presets.get(given.get("preset"), {})
    dry = DRY_RUN if "dry_run" in given else {}
    options = argparse.Namespace(**{**defaults, **preset, **dry, **given})
    if options.seed is None:
        options.seed = secrets.randbelow(2**31)
    return options


def _training_parser(doc, data, defaults, presets, more):
    parser = Parser(doc)

    def add(name, meaning, default=None, group=parser, **keywords):
        shown = default or defaults[name.replace("-", "_")]
        group.add_argument(f"--{name}", help=f"{meaning} ({shown})", **keywords)

    count = {"type": whole_number(1), "metavar": "N"}
    even = {"type": whole_number(2, even=True), "metavar": "N"}
    add_data(parser, data)
    add("epochs", "how often to go through steps-per-epoch steps", **count)
    add("batch-size", "images a step, half of them real", **even)
    add("latent-dim", "size of a latent point", **count)
    add("learning-rate", "of both Adam optimizers", type=positive, metavar="RATE")
    add("seed", "repeats a run", "drawn", type=seed_number, metavar="N")
    add("save-every", "epochs between pictures and models", **count)
    add("steps-per-epoch", "steps", "images // batch size, at least 100", **count)
    add("run-dir", "new folder for the results", "runs/.../NNNN", metavar="DIR")
    parser.add_argument("--resume", metavar="RUN", help="go on with this run folder")
    add("precision", "auto: bfloat16 where it is fast", choices=PRECISIONS, metavar="P")
    add("device", "auto, cpu, gpu, or gpu:1 for the second", metavar="D")
    parser.add_argument(
        "--preset",
        choices=presets,
        help="quick: small models, pictures in minutes on 2 cores",
    )
    parser.add_argument(
        "--dry-run", action="store_true", default=None, help="two steps on tiny data"
    )
    experiments = parser.add_argument_group("Experiments")
    text = "merged: D learns from real and fake images in one update; separate: in two"
    add("halves", text, group=experiments, choices=("merged", "separate"), metavar="H")
    if more:
        more(experiments)
    return parser


PRECISIONS = ("auto", "float32", "bfloat16", "float16")
