"""The options of a `train.py`: as typed, or of preset, objective or tutorial."""

import argparse
import secrets
import textwrap
from dataclasses import dataclass, field

from common.basics.cli import Parser, add_data
from common.basics.errors import UserError
from common.objectives.table import OPTIONS as OF_OBJECTIVES
from common.objectives.table import objectives_with
from common.options import cluster, rules, track
from common.options.resumed import resumed_options
from common.options.table import GROUPS, OF_IMAGES, OPTIONS

PRESETS = {"quick": "minutes on 2 cores", "best": "finer, half an hour to two"}
EXAMPLES = {
    "--preset quick": "images in minutes",
    "--dry-run": "a trial of two steps",
    "--epochs 20 --seed 1 --run-dir mine": "shorter, and reproducible",
    "--resume mine --epochs 40": "continue it",
    "--preset quick --objective wgan-gp": "another objective",
    "--preset quick --conditional": "class-conditional",
}
DRY_RUN = {"epochs": 1, "steps_per_epoch": 2, "batch_size": 16}


@dataclass(frozen=True)
class Script:
    """What a `train.py` is.

    Attributes:
        path: below the repository, "mnist_gan/train.py".
        doc: its docstring, whose first line heads the help.
        data: names for `--data`, the default first.
        tutorial: dict of the values of epochs, batch_size, d_batches, latent_dim,
            save_every, and of other options that the tutorial sets.
        presets: dict, name of a preset -> dict of the options that it changes.
        architectures: names for `--architecture`, the default first; none where the data
            are no images, nor paths of such.
        objectives: dict, objective -> dict of the options that it sets.
        own: rows that only this script has, see `table.Option`.
    """

    path: str
    doc: str
    data: tuple
    tutorial: dict
    presets: dict = field(default_factory=dict)
    architectures: tuple | dict = ()
    objectives: dict = field(default_factory=lambda: OF_OBJECTIVES)
    own: tuple = ()

    def groups(self):
        """Return title -> rows of the groups of its help."""
        groups = {**GROUPS, "Training": (*GROUPS["Training"], *self.own)}
        if self.architectures:
            return groups
        return {
            title: [row for row in rows if not row.images]
            for title, rows in groups.items()
            if title not in OF_IMAGES
        }

    def rows(self):
        """Return name -> row of all its options but `--data`, and of those of images."""
        return {**OPTIONS, **{row.name: row for row in self.own}}

    def defaults(self):
        """Return name -> value where nothing sets it."""
        defaults = {
            name: row.default
            for name, row in self.rows().items()
            if row.of != "objective" or row.default is not None
        }
        return {"data": self.data[0], **defaults, **self.tutorial}


def training_options(argv, script):
    """Return the Namespace of all options; with --resume those of the resumed run.

    Command line, preset, objective, tutorial: the first that sets an option decides.

    Args:
        argv: list of words, or None for the command line's.
        script: Script.

    Raises:
        UserError: an option is unknown, its value is out of range, it differs from that
            of the run to be resumed, or what it needs is not installed.
    """
    parser = parser_of(script)
    words = vars(parser.parse_args(argv))
    given = {name: value for name, value in words.items() if value is not None}
    if "resume" in given:
        if "run_dir" in given:
            raise UserError("--resume continues in its run folder: omit --run-dir")
        chosen = resumed_options(script, parser, given, DRY_RUN)
    else:
        chosen = chosen_options(script, given)
    options = argparse.Namespace(**chosen)
    preset = script.presets.get(given.get("preset"), {})
    flags = [script.rows()[name].flag for name in preset if name not in given]
    source = "the run's options.json: " if "resume" in given else ""
    rules.check(options, source, flags)
    track.check(options.track)
    cluster.check(options)
    if options.seed is None:
        options.seed = secrets.randbelow(2**31)
    return options


def chosen_options(script, given):
    """Return name -> value of a new training, of which these options were typed."""
    preset = script.presets.get(given.get("preset"), {})
    if given.get("objective") not in (None, preset.get("objective")):
        rows = script.rows()  # what belongs to the preset's objective goes with it
        preset = {k: v for k, v in preset.items() if rows[k].of != "objective"}
    objective = options_of_objective(script, {**preset, **given}, given)
    dry = {}
    if "dry_run" in given:
        synthetic = "synthetic" in script.data
        dry = {**DRY_RUN, "data": "synthetic" if synthetic else script.data[0]}
    chosen = {**script.defaults(), **objective, **preset, **dry, **given}
    if "architecture" not in given and rules.flexible_options(given):
        chosen["architecture"] = "flexible"
    return chosen


def options_of_objective(script, chosen, given):
    """Return what the objective sets that was typed, or is the preset's.

    Raises:
        UserError: another option was typed that it does not have.
    """
    name = chosen.get("objective", "bce")
    own = script.objectives[name]
    is_presets = "objective" in chosen and "objective" not in given
    by = f", which --preset {given['preset']} sets" if is_presets else ""
    for row in script.rows().values():
        if row.of == "objective" and row.name in given and row.name not in own:
            raise UserError(
                f"{row.flag} belongs to --objective {objectives_with(row.name)}, not to "
                f"{name}{by}: leave it out"
            )
    if "d_batches" in own and given.get("d_batches") == "separate":
        raise UserError(
            f"--d-batches separate: the loss of --objective {name} takes real and fake "
            "images together; leave it out"
        )
    return own


def parser_of(script):
    """Return the Parser of a script, whose values are None where they are not typed."""
    parser = Parser(script.doc, epilog=epilog_of(script))
    add_data(parser, script.data, paths=bool(script.architectures))
    lists = {
        "objective": script.objectives,
        "preset": script.presets,
        "architecture": script.architectures,
    }
    for title, rows in script.groups().items():
        group = parser if title == "options" else parser.add_argument_group(title)
        for row in rows:
            names = lists.get(row.name)
            if names or row.name not in lists:
                row.add_to(group, help_of(row, script, names), names)
    return parser


def epilog_of(script):
    """Return the end of the help: examples, what the presets set, where citations are."""
    flags = {row.flag for rows in script.groups().values() for row in rows}
    flags -= set() if script.presets else {"--preset"}
    lines = ["examples:"]
    for words, meaning in EXAMPLES.items():
        used = {word for word in words.split() if word.startswith("--")}
        if used <= flags:
            lines.append(f"  python {script.path} {words:36} {meaning}")
    for name, options in script.presets.items():
        chosen = [
            OPTIONS[key].flag + (f" {value}" if value is not True else "")
            for key, value in options.items()
        ]
        lines += textwrap.wrap(f"--preset {name}: {', '.join(chosen)}", 99)
    return "\n".join([*lines, "The works cited are in docs/references.md."])


def help_of(row, script, names):
    """Return the help of an option: its meaning, and its default in brackets."""
    default = script.defaults().get(row.name)
    shown = default if row.name in script.tutorial else row.shown or default
    text = row.help
    if row.name == "preset":
        return "; ".join(f"{name}: {PRESETS[name]}" for name in names) + "; see below"
    if row.of == "objective":
        of = script.objectives.items()
        shown = ", ".join(
            f"{name} {own[row.name]:g}" for name, own in of if row.name in own
        )
    if shown is False:
        shown = "off"
    return text if shown is None else f"{text} ({shown})"
