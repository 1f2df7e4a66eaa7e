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


PART, HALF = share_below(1), share_below(0.5)
CONDITION = (
    "how the class enters: concat (Mirza & Osindero 2014), hadamard: projection "
    "discriminator (Miyato & Koyama 2018), classify: auxiliary classifier (Odena et al. "
    "2017)"
)
D_BATCHES = (
    "real and generated images in one mixed batch of D, or one after the other; separate "
    "is needed if D has BatchNormalization"
)
PRECISIONS = ("float32", "auto", "bfloat16", "float16")
TRACKERS = ("none", "comet", "comet-offline")
TTUR = "(TTUR, Heusel et al. 2017)"
EMA = "save and sample the EMA of G's weights, with this decay (Yazici et al. 2019)"
PRETRAINED = "updates of D as an auto-encoder before the training"
UPSAMPLED = "of G; resize avoids checkerboards (Odena et al. 2016)"
OUTPUT = "G's output activation: images in [0, 1] or in [-1, 1]"
WIDTH = "multiply the number of filters, at most by 8 (Brock et al. 2019)"
DEPTH = "more 3x3 convolutions at each size (Simonyan & Zisserman 2015)"
DEVICE = (
    "auto: first GPU, else CPU; cpu; gpu; gpu:1; all: all GPUs, or those of TF_CONFIG"
)
BATCH = "batch size of D: N/2 real and N/2 generated images"
STEPS = "images // batch size, at least 100"
CRITIC = "1; wgan and wgan-gp 5"
SMOOTHING = "one-sided label smoothing: the real label is 1 - X (Salimans et al. 2016)"
FLIPPED = "fraction of flipped labels, below 0.5 (Chintala et al. 2016)"
SCORED = "score G every N epochs, as common/evaluate.py does"
COLLAPSED = "if training fails: D's loss near 0, NaN, identical images, missing classes"
MATCHING = (
    "matching-aware D: real images with wrong labels count as fake (Reed et al. 2016)"
)
NORMALIZED = "in G and D; spectral: in D (Radford et al. 2016, Miyato et al. 2018)"
DEFINED = "model definition; the options below need flexible"
SEED = "random seed: same seed, same result on the CPU"
AUGMENT = "DiffAugment: color, translation, cutout (Zhao et al. 2020)"
CONDITIONAL = "class-conditional GAN; needs labels (Mirza & Osindero 2014)"
DROPOUT = "dropout rate in D (Srivastava et al. 2014)"
KINDS = ("none", "batch", "layer", "spectral")
GROUPS = {  # title in the help -> rows
    "options": (
        Option("preset", ""),
        count("epochs", "number of epochs", resume=True),
        count("batch_size", BATCH, whole_number(2, even=True)),
        count("seed", SEED, seed_number, shown="random"),
        Option("device", DEVICE, "auto", metavar="D", local=True),
        count("save_every", "epochs between images and models", resume=True),
        Option("run_dir", "new folder", metavar="DIR", shown="runs/...", local=True),
        Option("resume", "run folder to resume", metavar="RUN", local=True),
        switch("dry_run", "two steps on tiny data"),
    ),
    "Training": (
        count("steps_per_epoch", "training steps per epoch", shown=STEPS),
        count("latent_dim", "size of a latent vector z", whole_number(1, MOST_LATENT)),
        one_of("d_batches", D_BATCHES, ("mixed", "separate")),
        one_of("precision", "auto: bfloat16 where it is fast", PRECISIONS),
        one_of("on_collapse", COLLAPSED, ("warn", "stop", "restart"), resume=True),
        count("evaluate_every", SCORED, shown="never", images=True, resume=True),
        one_of("track", "experiment tracker", TRACKERS, local=True),
    ),
    "Optimizers": (
        one_of("optimizer", "of G and D", ("adam", "rmsprop", "sgd")),
        number("learning_rate", "of G and D", metavar="X", shown="as in define_*.py"),
        number("g_learning_rate", f"of G {TTUR}", shown="--learning-rate"),
        number("d_learning_rate", f"of D {TTUR}", shown="--learning-rate"),
        number("ema", EMA, PART, default=0.0, shown="off"),
        number("label_smoothing", SMOOTHING, PART, default=0.0, shown="off"),
        number("label_noise", FLIPPED, HALF, default=0.0, shown="off"),
        switch("augment", AUGMENT, images=True),
    ),
    "Objective": (
        Option("objective", "losses of D and G, see common/objectives/", "bce"),
        count("critic_steps", "D updates per G update", default=1, shown=CRITIC),
        number("clip", "weight clipping range [-X, X]", of="objective"),
        number("penalty", "weight of the gradient penalty", of="objective"),
        number("margin", "EBGAN margin m", of="objective"),
        number("pull_away", "weight of EBGAN's pull-away term", of="objective"),
        number("gamma", "BEGAN diversity ratio gamma", share, of="objective"),
        count("pretrain_discriminator", PRETRAINED, default=0, of="objective"),
    ),
    "Classes": (
        switch("conditional", CONDITIONAL),
        one_of("condition", CONDITION, ("concat", "hadamard", "classify")),
        switch("wrong_labels", MATCHING),
    ),
    "Architecture": (
        Option("architecture", DEFINED, "tutorial"),
        one_of("normalization", NORMALIZED, KINDS, **flexible("none")),
        one_of("upsampling", UPSAMPLED, ("transpose", "resize"), **flexible("transpose")),
        one_of("output", OUTPUT, ("sigmoid", "tanh"), **flexible("tutorial's")),
        number("width", WIDTH, at_most(8), **flexible("1")),
        count("depth", DEPTH, whole_number(0, at_most=8), **flexible("0")),
        number("dropout", DROPOUT, PART, **flexible("0.4")),
    ),
}
OPTIONS = {row.name: row for rows in GROUPS.values() for row in rows}
OF_IMAGES = ("Classes", "Architecture")  # groups that no other training has
