"""Define the options of every `train.py`, one row each.

With the defaults, a training is the same as in the tutorial.
"""

from collections.abc import Callable
from dataclasses import dataclass

from common.basics import cli

MAX_LATENT = 10_000  # larger models do not fit into memory


@dataclass(frozen=True)
class Option:
    """An option of a `train.py`.

    Attributes:
        name: attribute of the Namespace; the flag is `--name`, with hyphens.
        help: its meaning; its default is appended in brackets.
        default: value if neither command line, preset, objective nor tutorial sets it.
        type: function, text -> value, that raises if the text is not valid; bool: a flag
            without a value.
        metavar: placeholder of its value in the help; None: its choices.
        choices: allowed values; None: all that `type` accepts.
        default_text: the default in the help, if it is not `default`.
        requires: "objective": only some objectives have the option; "flexible": only
            that architecture has it, and setting it selects the architecture.
        images: whether only a training on images has it.
        resume: whether it may change when a run is resumed.
        local: whether it concerns the machine, not the training. It may differ between
            machines, and is not a hyperparameter for TensorBoard.
    """

    name: str
    help: str
    default: object = None
    type: Callable | None = None
    metavar: str | None = None
    choices: tuple | None = None
    default_text: str = ""
    requires: str = ""
    images: bool = False
    resume: bool = False
    local: bool = False

    @property
    def flag(self):
        return f"--{self.name.replace('_', '-')}"

    def add_to(self, parser, text=None, choices=None, default=None):
        """Add the option to an argparse parser."""
        text = text or f"{self.help} ({self.default_text or self.default})"
        kind = {"action": "store_true"}
        if self.type is not bool:
            choices = choices or self.choices
            kind = {"type": self.type, "metavar": self.metavar, "choices": choices}
        parser.add_argument(self.flag, help=text, default=default, **kind)


def fraction_below(bound):
    """Return a type for add_argument: a number of at least 0 and below the bound."""
    in_range = (lambda x: 0 <= x < bound, f"at least 0 and below {bound}")
    return cli.validated(float, cli.FINITE, in_range)


def number(name, text, type=cli.positive, metavar="X", **more):
    return Option(name, text, type=type, metavar=metavar, **more)


def count(name, text, type=None, **more):
    return Option(name, text, type=type or cli.whole_number(1), metavar="N", **more)


def switch(name, text, **more):
    return Option(name, text, False, bool, **more)


def one_of(name, text, choices, **more):
    """Return the row of an option whose default is the first of these choices."""
    return Option(name, text, **{"default": choices[0], "choices": choices, **more})


def flexible(text):
    """Return the attributes that all options of `--architecture flexible` have."""
    return {"default": None, "default_text": text, "requires": "flexible"}


FRACTION, BELOW_HALF = fraction_below(1), fraction_below(0.5)
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
FIRST = "use the first N images of the data set only"
SCORED = "score G every N epochs, as common/evaluate.py does"
COLLAPSED = "action on D's loss near 0, NaN, identical images or missing classes"
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
GROUPS = {  # title in the help -> options
    "options": (
        Option("preset", ""),
        count("epochs", "number of epochs", resume=True),
        count("batch_size", BATCH, cli.whole_number(2, even=True)),
        count("seed", SEED, cli.seed_number, default_text="random"),
        Option("device", DEVICE, "auto", metavar="D", local=True),
        count("save_every", "save images and models every N epochs", resume=True),
        Option("run_dir", "new results folder (runs/...)", metavar="DIR", local=True),
        Option("resume", "run folder to resume", metavar="RUN", local=True),
        switch("dry_run", "two steps on tiny data"),
    ),
    "Training": (
        count("steps_per_epoch", "training steps per epoch", default_text=STEPS),
        count("limit", FIRST, default_text="all", images=True),
        count("latent_dim", "size of a latent vector z", cli.whole_number(1, MAX_LATENT)),
        one_of("d_batches", D_BATCHES, ("mixed", "separate")),
        one_of("precision", "auto: bfloat16 where it is fast", PRECISIONS),
        one_of("on_collapse", COLLAPSED, ("warn", "stop", "restart"), resume=True),
        count("evaluate_every", SCORED, default_text="never", images=True, resume=True),
        one_of("track", "experiment tracker", TRACKERS, local=True),
    ),
    "Optimizers": (
        one_of("optimizer", "of G and D", ("adam", "rmsprop", "sgd")),
        number("learning_rate", "of G and D", default_text="as in define_*.py"),
        number("g_learning_rate", f"of G {TTUR}", default_text="--learning-rate"),
        number("d_learning_rate", f"of D {TTUR}", default_text="--learning-rate"),
        number("ema", EMA, FRACTION, default=0.0, default_text="off"),
        number("label_smoothing", SMOOTHING, FRACTION, default=0.0, default_text="off"),
        number("label_noise", FLIPPED, BELOW_HALF, default=0.0, default_text="off"),
        switch("augment", AUGMENT, images=True),
    ),
    "Objective": (
        Option("objective", "losses of D and G, see common/objectives/", "bce"),
        count("critic_steps", "D updates per G update", default=1, default_text=CRITIC),
        number("clip", "weight clipping range [-X, X]", requires="objective"),
        number("penalty", "weight of the gradient penalty", requires="objective"),
        number("margin", "EBGAN margin m", requires="objective"),
        number("pull_away", "weight of EBGAN's pull-away term", requires="objective"),
        number("gamma", "BEGAN diversity ratio", cli.fraction, requires="objective"),
        count("pretrain_discriminator", PRETRAINED, default=0, requires="objective"),
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
        number("width", WIDTH, cli.at_most(8), **flexible("1")),
        count("depth", DEPTH, cli.whole_number(0, at_most=8), **flexible("0")),
        number("dropout", DROPOUT, FRACTION, **flexible("0.4")),
    ),
}
OPTIONS = {row.name: row for rows in GROUPS.values() for row in rows}
IMAGE_GROUPS = ("Classes", "Architecture")  # only for training on images
