"""Parse the options of a `train.py`, with defaults of preset, objective and tutorial."""

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
from common.options.table import GROUPS, IMAGE_GROUPS, OPTIONS

PRESETS = {  # script -> preset -> its time in the README, where the conditions stand
    "mnist_gan/train.py": {
        "quick": "2 to 3 minutes on two CPU cores",
        "best": "half an hour",
    },
    "cifar10_gan/train.py": {
        "quick": "11 minutes on two cores under load",
        "best": "an hour or two",
    },
    "celeba_gan/train.py": {
        "quick": "10 min 50 s on two CPU cores",
        "best": "40 minutes",
    },
}
EXAMPLES = {
    "--preset quick": "images in minutes",
    "--dry-run": "two steps, as a test",
    "--epochs 20 --seed 1 --run-dir mine": "shorter, and reproducible",
    "--resume mine --epochs 40": "continue this run",
    "--preset quick --objective wgan-gp": "another objective",
    "--preset quick --conditional": "class-conditional",
}
DRY_RUN = {"epochs": 1, "steps_per_epoch": 2, "batch_size": 16}


@dataclass(frozen=True)
class Script:
    """The definition of a `train.py`.

    Attributes:
        path: relative to the repository, "mnist_gan/train.py".
        doc: its docstring, whose first line is the description in the help.
        data: names for `--data`, the default first.
        tutorial: dict of the tutorial's values: epochs, batch_size, d_batches,
            latent_dim, save_every, and others.
        presets: dict, name of a preset -> dict of the options that it sets.
        architectures: names for `--architecture`, the default first; empty if the data
            are not images. `--data` then takes no path.
        objectives: dict, objective -> dict of the options that it sets.
        own: `table.Option`s that only this script has.
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
        """Return title -> options of the groups in the help."""
        groups = {**GROUPS, "Training": (*GROUPS["Training"], *self.own)}
        if self.architectures:
            return groups
        return {
            title: [row for row in rows if not row.images]
            for title, rows in groups.items()
            if title not in IMAGE_GROUPS
        }

    def rows(self):
        """Return name -> Option, for all options except `--data`."""
        return {**OPTIONS, **{row.name: row for row in self.own}}

    def defaults(self):
        """Return name -> default value."""
        defaults = {
            name: row.default
            for name, row in self.rows().items()
            if row.requires != "objective" or row.default is not None
        }
        return {"data": self.data[0], **defaults, **self.tutorial}


def training_options(argv, script):
    """Parse all options; with `--resume` the others are those of the resumed run.

    An option is set by the first of these: command line, preset, objective, tutorial.

    Args:
        argv: list of arguments, or None for those of the command line.
        script: Script.

    Returns:
        argparse.Namespace.

    Raises:
        UserError: an option is unknown or out of range, differs from that of the resumed
            run, or needs a package that is not installed.
    """
    parser = make_parser(script)
    parsed = vars(parser.parse_args(argv))
    typed = {name: value for name, value in parsed.items() if value is not None}
    if "resume" in typed:
        if "run_dir" in typed:
            raise UserError("--resume continues in its run folder: leave --run-dir out")
        chosen = resumed_options(script, parser, typed, DRY_RUN)
    else:
        chosen = chosen_options(script, typed)
    options = argparse.Namespace(**chosen)
    preset = script.presets.get(typed.get("preset"), {})
    flags = [script.rows()[name].flag for name in preset if name not in typed]
    source = "the run's options.json: " if "resume" in typed else ""
    rules.check(options, source, flags)
    track.check(options.track)
    cluster.check(options)
    if options.seed is None:
        options.seed = secrets.randbelow(2**31)
    return options


def chosen_options(script, typed):
    """Return name -> value of all options of a new training.

    Args:
        script: Script.
        typed: dict of the options of the command line.
    """
    preset = script.presets.get(typed.get("preset"), {})
    if typed.get("objective") not in (None, preset.get("objective")):
        rows = script.rows()  # the preset's values belong to another objective
        preset = {k: v for k, v in preset.items() if rows[k].requires != "objective"}
    objective = options_of_objective(script, {**preset, **typed}, typed)
    dry = {}
    if "dry_run" in typed:
        synthetic = "synthetic" in script.data
        dry = {**DRY_RUN, "data": "synthetic" if synthetic else script.data[0]}
    chosen = {**script.defaults(), **objective, **preset, **dry, **typed}
    if "architecture" not in typed and rules.flexible_options(typed):
        chosen["architecture"] = "flexible"
    return chosen


def options_of_objective(script, chosen, typed):
    """Return the options that the typed objective, or that of the preset, sets.

    Raises:
        UserError: an option was typed that this objective does not have.
    """
    name = chosen.get("objective", "bce")
    defaults = script.objectives[name]
    is_presets = "objective" in chosen and "objective" not in typed
    by = f", which --preset {typed['preset']} sets" if is_presets else ""
    for row in script.rows().values():
        if row.requires == "objective" and row.name in typed and row.name not in defaults:
            raise UserError(
                f"{row.flag} belongs to --objective {objectives_with(row.name)}, not to "
                f"{name}{by}: leave {row.flag} out"
            )
    if "d_batches" in defaults and typed.get("d_batches") == "separate":
        raise UserError(
            f"--d-batches separate: the loss of --objective {name} takes real and fake "
            "images together; use --d-batches mixed"
        )
    return defaults


def make_parser(script):
    """Return the Parser of a script; options that are not typed are None."""
    parser = Parser(script.doc, epilog=make_epilog(script))
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
                row.add_to(group, option_help(row, script, names), names)
    return parser


def make_epilog(script):
    """Return the end of the help: examples, the values of the presets, references."""
    flags = {row.flag for rows in script.groups().values() for row in rows}
    flags -= set() if script.presets else {"--preset"}
    lines = ["examples:"]
    for arguments, meaning in EXAMPLES.items():
        if {word for word in arguments.split() if word.startswith("--")} <= flags:
            lines.append(f"  python {script.path} {arguments:36} {meaning}")
    for name, options in script.presets.items():
        chosen = [
            OPTIONS[key].flag + (f" {value}" if value is not True else "")
            for key, value in options.items()
        ]
        lines += textwrap.wrap(f"--preset {name}: {', '.join(chosen)}", 99)
    return "\n".join([*lines, "The cited papers are listed in docs/references.md."])


def option_help(row, script, names):
    """Return the help of an option: its meaning, and its default in brackets."""
    if row.name == "preset":
        times = PRESETS.get(script.path, {})
        texts = [f"{name}: {times[name]}" if name in times else name for name in names]
        return "; ".join([*texts, "see below"])
    default = script.defaults().get(row.name)
    if row.name not in script.tutorial:
        default = row.default_text or default
    if row.requires == "objective":
        default = ", ".join(
            f"{name} {options[row.name]:g}"
            for name, options in script.objectives.items()
            if row.name in options
        )
    if default is None:
        return row.help
    return f"{row.help} ({'off' if default is False else default})"
