"""The options of every `train.py`, a row each; free of Keras, for the sake of `--help`.

Those beyond the tutorials are off by default: then a training is the tutorial's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from common.basics.cli import (
    FINITE,
    at_most,
    checked,
    positive,
    seed_number,
    share,
    whole_number,
)

MOST_LATENT = 10_000  # numbers of a latent vector: larger models fit into no memory


@dataclass(frozen=True)
class Option:
    """An option of a `train.py`.

    Attributes:
        name: in the Namespace; the flag is `--name`, with hyphens.
        help: its meaning, to which its default is added in brackets.
        default: its value where neither command line, preset, objective nor tutorial
            sets it.
        type: function of a text that returns the value, or raises; bool: a switch.
        metavar: what stands for its value in the help; None: its choices.
        choices: the values that there are.
        shown: the default in the help, where that is not `default`.
        of: "objective": only objectives whose row names it have it; "flexible": only
            that architecture has it, and is chosen where one of these is typed.
        images: whether only a training on images has it.
        resume: whether another value may be typed when a run is resumed.
        local: whether it is about the machine, not about the training: then it may also
            differ between machines, and is no hyperparameter for TensorBoard.
    """

    name: str
    help: str
    default: object = None
    type: Callable | None = None
    metavar: str | None = None
    choices: tuple | None = None
    shown: str = ""
    of: str = ""
    images: bool = False
    resume: bool = False
    local: bool = False

    @property
    def flag(self):
        return f"--{self.name.replace('_', '-')}"

    def add_to(self, parser, text=None, choices=None, default=None):
        """Add the option to an argparse parser; `default` is its value if not typed."""
        words = {"help": text or f"{self.help} ({self.shown or self.default})"}
        words |= {"default": default}
        if self.type is bool:
            words |= {"action": "store_true"}
        else:
            choices = choices or self.choices
            words |= {"type": self.type, "metavar": self.metavar, "choices": choices}
        parser.add_argument(self.flag, **words)


def share_below(bound):
    """A type for add_argument: a number of at least 0 and below the bound."""
    in_range = (lambda x: 0 <= x < bound, f"at least 0 and below {bound}")
    return checked(float, FINITE, in_range)


def number(name, text, type=positive, metavar="X", **more):
    return Option(name, text, type=type, metavar=metavar, **more)


def count(name, text, type=None, **more):
    return Option(name, text, type=type or whole_number(1), metavar="N", **more)


def switch(name, text, **more):
    return Option(name, text, False, bool, **more)


def one_of(name, text, choices, **more):
    """Return the row of an option whose default is the first of these choices."""
    return Option(name, text, **{"default": choices[0], "choices": choices, **more})


def flexible(shown):
    """Return what the rows of `--architecture flexible` share."""
    return {"default": None, "shown": shown, "of": "flexible"}


PRECISIONS = ("float32", "auto", "bfloat16", "float16")
PART, HALF = share_below(1), share_below(0.5)
DEVICES = "cpu, gpu, gpu:1, or all: every GPU, or the machines of TF_CONFIG"
D_BATCHES = "merged: D learns from real and fake images in one update; separate: in two"
CRITIC = "1; 5 with wgan and wgan-gp"
COMET = "log to Comet, too: comet, or comet-offline, which needs no account"
CONDITION = (
    "concat: the class beside the latent vector and the image (Mirza 2014); hadamard: "
    "multiplied with the latent vector and with D's features (Miyato & Koyama 2018); "
    "classify: D names it (Odena 2017)"
)
KINDS = ("none", "batch", "layer", "spectral")
NORMALIZED = "batch or layer in G and D, spectral in D (Miyato 2018), or none"
DEPTH = "more 3x3 convolutions at each size (Simonyan 2015)"
ARCHITECTURE = "the options below make it flexible"
UPSAMPLED = "of G: transpose, or resize: no checkerboard (Odena 2016)"
TWO_RATES = "of one of them alone (Heusel 2017)"
SCORED = "score G every N epochs, as common/evaluate.py does: FID, KID ..."
COLLAPSED = "warn, stop, or restart from the last healthy epoch"
GROUPS = {  # title in the help -> rows
    "options": (
        count("epochs", "how often to go through steps-per-epoch steps", resume=True),
        count("batch_size", "of a step, half of it real", whole_number(2, even=True)),
        count("latent_dim", "numbers of a latent vector", whole_number(1, MOST_LATENT)),
        number(
            "learning_rate",
            "of both optimizers",
            metavar="RATE",
            shown="as in define_*.py",
        ),
        count("seed", "the same seed repeats a run", seed_number, shown="random"),
        count("save_every", "epochs between pictures and models", resume=True),
        count("steps_per_epoch", "steps", shown="images // batch size, at least 100"),
        Option(
            "run_dir", "for the results, new", metavar="DIR", shown="runs/...", local=True
        ),
        Option("resume", "go on with this run folder", metavar="RUN", local=True),
        one_of("precision", "auto: bfloat16 where fast", PRECISIONS, metavar="P"),
        Option("device", DEVICES, "auto", metavar="D", local=True),
        Option("preset", ""),
        switch("dry_run", "two steps on tiny data"),
    ),
    "Experiments": (
        one_of("d_batches", D_BATCHES, ("mixed", "separate")),
        Option("objective", "", "bce", metavar="NAME"),
        count("critic_steps", "updates of D for each of G", default=1, shown=CRITIC),
        number("clip", "D's weights stay within -X and X", of="objective"),
        number("penalty", "weight of the gradient penalty", of="objective"),
        number("margin", "energy above which a fake is far enough", of="objective"),
        number("pull_away", "weight of the term against equal fakes", of="objective"),
        number("gamma", "energy of fakes / of real images", share, of="objective"),
        count(
            "pretrain_discriminator", "updates of D at first", default=0, of="objective"
        ),
        one_of("track", COMET, ("none", "comet", "comet-offline"), local=True),
    ),
    "Classes": (
        switch("conditional", "G and D take the class"),
        one_of("condition", CONDITION, ("concat", "hadamard", "classify")),
        switch("wrong_labels", "real images of wrong classes count as fake (Reed 2016)"),
    ),
    "Architectures": (
        Option("architecture", ARCHITECTURE, "tutorial", metavar="A"),
        one_of("normalization", NORMALIZED, KINDS, **flexible("none")),
        one_of("upsampling", UPSAMPLED, ("transpose", "resize"), **flexible("transpose")),
        one_of(
            "output", "activation of G", ("sigmoid", "tanh"), **flexible("tutorial's")
        ),
        number(
            "width", "factor of the filters (Brock 2019)", at_most(8), **flexible("1")
        ),
        count("depth", DEPTH, whole_number(0, at_most=8), **flexible("0")),
        number("dropout", "of D's features (Srivastava 2014)", PART, **flexible("0.4")),
    ),
    "Extensions": (
        number(
            "label_smoothing", "real = 1 - X for D (Salimans 2016)", PART, default=0.0
        ),
        number(
            "label_noise", "share of flipped labels (Chintala 2016)", HALF, default=0.0
        ),
        one_of("optimizer", "of G and D", ("adam", "rmsprop", "sgd")),
        number("g_learning_rate", TWO_RATES, metavar="RATE", shown="as both"),
        number("d_learning_rate", TWO_RATES, metavar="RATE", shown="as both"),
        number("ema", "decay of the EMA of G's weights (Yazici 2019)", PART, default=0.0),
        switch("augment", "change real and fake images alike (Zhao 2020)", images=True),
        count("evaluate_every", SCORED, shown="never", images=True, resume=True),
        one_of("on_collapse", COLLAPSED, ("warn", "stop", "restart"), resume=True),
    ),
}
OPTIONS = {row.name: row for rows in GROUPS.values() for row in rows}
OF_IMAGES = ("Classes", "Architectures")  # groups that no other training has
