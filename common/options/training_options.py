"""The options of every `train.py`."""

import argparse
import secrets
from functools import partial

from common.basics.cli import Parser, add_data, positive, seed_number, share, whole_number
from common.basics.errors import UserError
from common.objectives.table import OPTIONS, OWN, objectives_with
from common.options import cluster, extensions, track
from common.runs.folder import resumed_options

PRECISIONS = ("auto", "float32", "bfloat16", "float16")
DEFAULTS = {
    "seed": None,  # None: one is drawn, and recorded
    "learning_rate": None,  # None: that with which the models are compiled
    "save_every_steps": None,  # None: the state is saved after whole epochs alone
    "steps_per_epoch": None,  # None: images // batch_size, but at least 100
    "run_dir": None,
    "resume": None,
    "precision": "float32",
    "device": "auto",
    "devices": "one",
    "preset": None,
    "dry_run": False,
    "track": "none",
    "objective": "bce",
    "critic_steps": 1,
    "pretrain_discriminator": 0,
    **extensions.DEFAULTS,
}
MOST_LATENT = 10_000  # numbers of a latent point: larger models fit into no memory
PRESETS = {
    "quick": "pictures in minutes on 2 cores",
    "best": "finer, in half an hour to two",
}
DRY_RUN = {"epochs": 1, "steps_per_epoch": 2, "batch_size": 16}


def training_options(argv, doc, script, data, tutorial, presets, more=None,
                     objectives=OPTIONS, architectures=()):  # fmt: skip
    """The options of a `train.py`: as typed, or of preset, objective or tutorial.

    The first of these that sets an option decides.

    Args:
        argv: list of words, or None for the command line's.
        doc: the script's docstring; its first line heads the help.
        script: path of the script below the repository, "mnist_gan/train.py".
        data: names for `--data`, the default first.
        tutorial: dict of the values of epochs, batch_size, halves, latent_dim and
            save_every, and of the script's own options.
        presets: dict, name of a preset -> dict of the options that it changes.
        more: function that adds the script's own options to a group.
        objectives: dict, objective -> dict of the options that it sets.
        architectures: names for `--architecture`, the default first; none where the
            data are no images, nor paths of such.

    Returns:
        a Namespace of all options; with --resume those of the run that is resumed.

    Raises:
        UserError: an option is unknown, its value is out of range, it differs from that
            of the run to be resumed, or what it needs is not installed.
    """
    defaults = {**DEFAULTS, "data": data[0], **tutorial}
    parser = Parser(doc)
    add_data(parser, data, paths=bool(architectures))
    _add_options(parser, defaults, presets, objectives, more)
    if architectures:
        extensions.add_classes(parser)
        extensions.add_architectures(parser, architectures)
    extensions.add_extensions(parser, images=bool(architectures))
    words = vars(parser.parse_args(argv))
    given = {name: value for name, value in words.items() if value is not None}
    if "resume" in given:
        if "run_dir" in given:
            raise UserError("--resume goes on in the run's own folder: omit --run-dir")
        known = [defaults, DRY_RUN, *presets.values(), *objectives.values()]
        options = _resumed(parser, script, given, defaults, known, objectives)
        track.check(options.track)
        return options
    preset = _options_of_preset(given, presets)
    objective = _options_of_objective(given, preset, objectives)
    dry = {}
    if "dry_run" in given:
        dry = {**DRY_RUN, "data": "synthetic" if "synthetic" in data else data[0]}
    chosen = {**defaults, **objective, **preset, **dry, **given}
    if "architecture" not in given and extensions.asks_for_flexible(given):
        chosen["architecture"] = "flexible"
    options = argparse.Namespace(**chosen)
    extensions.check(options)
    track.check(options.track)
    cluster.check(options)
    if options.seed is None:
        options.seed = secrets.randbelow(2**31)
    return options


def _resumed(parser, script, given, defaults, known, objectives):
    """The Namespace of the run that is resumed.

    Raises:
        UserError: see `folder.resumed_options` and `checks.check_options`.
    """
    from common.runs.checks import check_options

    resumed = resumed_options(given["resume"], script, given)
    names = {action.dest for action in parser._actions} | set(defaults)
    resumed = {name: value for name, value in resumed.items() if name in names}
    check_options(parser, resumed, known)
    own = objectives[resumed.get("objective", "bce")]
    options = argparse.Namespace(**{**defaults, **own, **resumed})
    extensions.check(options)
    cluster.check(options)
    return options


def _options_of_preset(given, presets):
    """What the preset sets, less what belongs to its objective if another was typed."""
    preset = presets.get(given.get("preset"), {})
    if given.get("objective") in (None, preset.get("objective")):
        return preset
    return {name: value for name, value in preset.items() if name not in OWN}


def _options_of_objective(given, preset, objectives):
    """What the objective sets that was typed, or is the preset's.

    Raises:
        UserError: another option was typed that it does not have.
    """
    name = {"objective": "bce", **preset, **given}["objective"]
    own = objectives[name]
    for option in (*OWN, "pretrain_discriminator"):
        if option in given and option not in own:
            raise UserError(
                f"--{option.replace('_', '-')} belongs to --objective "
                f"{objectives_with(option)}, not to {name}: leave it out"
            )
    if "halves" in own and given.get("halves") == "separate":
        raise UserError(
            f"--halves separate: the loss of --objective {name} takes real and fake "
            "images together; leave it out"
        )
    return own


def _add_options(parser, defaults, presets, objectives, more):
    def add(name, meaning, default=None, group=parser, **keywords):
        shown = default or defaults[name.replace("-", "_")]
        group.add_argument(f"--{name}", help=f"{meaning} ({shown})", **keywords)

    count = {"type": whole_number(1), "metavar": "N"}
    even = {"type": whole_number(2, even=True), "metavar": "N"}
    add("epochs", "how often to go through steps-per-epoch steps", **count)
    add("batch-size", "of a step, half of it real", **even)
    latent = {"type": whole_number(1, at_most=MOST_LATENT), "metavar": "N"}
    add("latent-dim", "size of a latent point", **latent)
    rate = {"type": positive, "metavar": "RATE"}
    add("learning-rate", "of both optimizers", "as in define_*.py", **rate)
    add("seed", "repeats a run", "drawn", type=seed_number, metavar="N")
    add("save-every", "epochs between pictures and models", **count)
    steps = defaults["steps_per_epoch"] or "images // batch size, at least 100"
    add("steps-per-epoch", "steps", steps, **count)
    add("run-dir", "new folder for the results", "runs/.../NNNN", metavar="DIR")
    parser.add_argument("--resume", metavar="RUN", help="go on with this run folder")
    add("precision", "auto: bfloat16 where it is fast", choices=PRECISIONS, metavar="P")
    add("device", "auto, cpu, gpu, or gpu:1 for the second", metavar="D")
    if presets:
        text = "; ".join(f"{name}: {PRESETS[name]}" for name in presets)
        parser.add_argument("--preset", choices=presets, help=text)
    parser.add_argument(
        "--dry-run", action="store_true", default=None, help="two steps on tiny data"
    )
    experiments = parser.add_argument_group("Experiments")
    text = "merged: D learns from real and fake images in one update; separate: in two"
    add("halves", text, group=experiments, choices=("merged", "separate"), metavar="H")
    _add_objective(partial(add, group=experiments), objectives)
    text = "log to Comet, too: comet, or comet-offline, which needs no account"
    add("track", text, group=experiments, choices=track.KINDS, metavar="T")
    text = "one, or all: the GPUs of this machine, or the machines of TF_CONFIG"
    add("devices", text, group=experiments, choices=("one", "all"), metavar="D")
    text = "steps between two states within an epoch, for long ones"
    add("save-every-steps", text, "none", group=experiments, **count)
    if more:
        more(experiments)


def _add_objective(add, objectives):
    def own(name, meaning, **keywords):
        option = name.replace("-", "_")
        shown = [f"{key} {o[option]:g}" for key, o in objectives.items() if option in o]
        add(name, meaning, ", ".join(shown), **keywords)

    amount = {"type": positive, "metavar": "X"}
    count = {"type": whole_number(1), "metavar": "N"}
    add("objective", ", ".join(objectives), choices=objectives, metavar="NAME")
    own("critic-steps", "updates of D for each of G; most 1", **count)
    own("clip", "D's weights stay within -X and X", **amount)
    own("penalty", "weight of D's slope in its loss", **amount)
    own("margin", "energy above which D lets a fake be", **amount)
    own("pull-away", "weight of the term against equal fakes", **amount)
    own("gamma", "wanted energy of fakes / of real images", type=share, metavar="X")
    own("pretrain-discriminator", "updates of D before the game", **count)
