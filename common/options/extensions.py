"""The options beyond the tutorials: classes, architectures, and what they leave as
exercises. Off, which is the default, a training is the tutorial's."""

from argparse import ArgumentTypeError

from common.basics.cli import at_most, number, positive, whole_number
from common.basics.errors import UserError

DEFAULTS = {
    "conditional": False,
    "condition": "concat",
    "wrong_labels": False,
    "architecture": "tutorial",
    "normalization": None,
    "upsampling": None,
    "output": None,
    "width": None,
    "depth": None,
    "dropout": None,
    "label_smoothing": 0.0,
    "label_noise": 0.0,
    "optimizer": "adam",
    "g_learning_rate": None,  # None: as learning_rate
    "d_learning_rate": None,
    "ema": 0.0,
    "augment": False,
    "on_collapse": "warn",
    "evaluate_every": None,
}
OF_BOTH = ("normalization", "width", "depth")
OF_G, OF_D = (*OF_BOTH, "upsampling", "output"), (*OF_BOTH, "dropout")
FLEXIBLE = (*OF_G, "dropout")
LABELLED = ("bce", "minimax", "lsgan")  # whose D is trained towards the labels 1 and 0
PENALIZED = ("wgan-gp", "r3gan")  # whose D must judge each image by itself
ENERGIES = ("ebgan", "began")
AUTO = "D of --objective {} is an auto-encoder, which"
TOLD = ("conditional-dense",)  # architectures that take classes themselves
OPTIMIZERS = ("adam", "rmsprop", "sgd")


def add_classes(parser):
    """Add the options of GANs that are told what to draw."""
    add = parser.add_argument_group("Classes").add_argument
    flag = {"action": "store_true", "default": None}
    add("--conditional", **flag, help="G is told the class, D judges by it (off)")
    text = (
        "concat: the class beside the point and the image (Mirza 2014); hadamard: "
        "multiplied with the point and with D's features (Miyato & Koyama 2018); "
        "classify: D names it (Odena 2017) (concat)"
    )
    choices = ("concat", "hadamard", "classify")
    add("--condition", choices=choices, metavar="C", help=text)
    text = "a real image with a wrong class counts as fake, too (Reed 2016) (off)"
    add("--wrong-labels", **flag, help=text)


def add_architectures(parser, names):
    """Add `--architecture` with these names, and the options of the flexible one."""
    add = parser.add_argument_group("Architectures").add_argument
    text = f"{', '.join(names)} (tutorial); those below make it flexible"
    add("--architecture", choices=names, metavar="A", help=text)
    text = (
        "steadier games: batch (Radford 2016) or layer (Gulrajani 2017) in G and D, "
        "spectral in D (Miyato 2018), or none (none)"
    )
    kinds = ("none", "batch", "layer", "spectral")
    add("--normalization", choices=kinds, metavar="N", help=text)
    text = "of G: transpose, or resize: no checkerboard (Odena 2016) (transpose)"
    add("--upsampling", choices=("transpose", "resize"), metavar="U", help=text)
    text = "of G: sigmoid, or tanh, which is steeper; images are scaled to it"
    add("--output", choices=("sigmoid", "tanh"), metavar="O", help=text)
    text = "factor of the filters, at most 8; more draw finer (Brock 2019) (1)"
    add("--width", type=at_most(8), metavar="X", help=text)
    text = "more 3x3 convolutions at each size (Simonyan 2015) (0)"
    add("--depth", type=whole_number(0, at_most=8), metavar="N", help=text)
    text = "share of D's features left out: no learning by heart (Srivastava 2014) (0.4)"
    add("--dropout", type=share_below(1), metavar="X", help=text)


def add_extensions(parser, images=True):
    """Add the options of the training itself."""
    add = parser.add_argument_group("Extensions").add_argument
    text = "real = 1 - X for D, which is then never sure (Salimans 2016) (0)"
    add("--label-smoothing", type=share_below(1), metavar="X", help=text)
    text = "share of labels told wrongly, below 0.5: D never too sure (Chintala 2016) (0)"
    add("--label-noise", type=share_below(0.5), metavar="X", help=text)
    text = "of G and D: adam (Radford 2016), rmsprop (Arjovsky 2017) or sgd (adam)"
    add("--optimizer", choices=OPTIMIZERS, metavar="O", help=text)
    for side in "gd":
        text = f"of {side.upper()} alone; two rates may settle (Heusel 2017)"
        add(f"--{side}-learning-rate", type=positive, metavar="RATE", help=text)
    text = "pictures and models of G's running mean, of this decay (Yazici 2019) (0)"
    add("--ema", type=share_below(1), metavar="X", help=text)
    if images:
        text = "change real and fake images alike: for few pictures (Zhao 2020) (off)"
        add("--augment", action="store_true", default=None, help=text)
        text = "score G every N epochs, as common/evaluate.py does: FID, KID ... (never)"
        add("--evaluate-every", type=whole_number(1), metavar="N", help=text)
    text = "warn, stop, or restart from the last healthy epoch (warn)"
    modes = ("warn", "stop", "restart")
    add("--on-collapse", choices=modes, metavar="MODE", help=text)


def share_below(bound):
    """A type for add_argument: a number of at least 0 and below the bound."""

    def parse(text):
        value = number(text)
        if not 0 <= value < bound:
            raise ArgumentTypeError(f"must be at least 0 and below {bound}, not {text!r}")
        return value

    return parse


def asks_for_flexible(given):
    """Whether one of these typed options belongs to `--architecture flexible`."""
    return any(name in given for name in FLEXIBLE)


def of_flexible(options):
    """What `--architecture flexible` is asked for: keywords of its G and of its D."""
    typed = {name: getattr(options, name) for name in FLEXIBLE}
    return (
        {name: typed[name] for name in names if typed[name] is not None}
        for names in (OF_G, OF_D)
    )


def check(options):
    """Refuse combinations that make no sense, each with its reason.

    Raises:
        UserError: the first that was found.
    """
    rules = (*_rules_of_classes(options), *_rules_of_losses(options))
    for nonsense, reason in rules:
        if nonsense:
            raise UserError(reason)


def _rules_of_classes(o):
    typed = [name for name in FLEXIBLE if getattr(o, name) is not None]
    option = f"--{typed[0]}" if typed else ""
    return (
        (
            typed and o.architecture != "flexible",
            f"{option} belongs to --architecture flexible, not to {o.architecture}",
        ),
        (
            o.condition != "concat" and not o.conditional,
            f"--condition {o.condition} needs --conditional",
        ),
        (o.wrong_labels and not o.conditional, "--wrong-labels needs --conditional"),
        (
            getattr(o, "attribute", None) and not o.conditional,
            "--attribute needs --conditional",
        ),
        (
            o.architecture in TOLD and not o.conditional,
            f"--architecture {o.architecture} needs --conditional",
        ),
        (
            o.architecture in TOLD and o.condition != "concat",
            f"--architecture {o.architecture} joins the class as --condition concat does",
        ),
        (
            o.wrong_labels and o.condition == "classify",
            "--wrong-labels: with --condition classify D is never told a class, so none "
            "can be wrong",
        ),
        (
            o.wrong_labels and o.objective in (*PENALIZED, *ENERGIES),
            f"--wrong-labels: --objective {o.objective} compares real images with as "
            "many fakes, and there is no place for a third kind",
        ),
        (
            o.wrong_labels and o.halves == "separate",
            "--wrong-labels: the three kinds are one update; add --halves merged",
        ),
        (
            o.conditional and o.objective in ENERGIES,
            f"--conditional: {AUTO.format(o.objective)} copies images and has no verdict "
            "on a class; leave out --conditional, or the preset that sets it",
        ),
        (
            o.condition == "classify" and o.objective in PENALIZED,
            f"--condition classify: the loss of --objective {o.objective} is one of "
            "scores alone; use concat or hadamard",
        ),
    )


def _rules_of_losses(o):
    alone = "looks at the other images of the batch, while the penalty is on each alone"
    auto = AUTO.format(o.objective)
    return (
        (
            o.normalization == "batch" and o.objective in PENALIZED,
            f"--normalization batch {alone} (--objective {o.objective}): use layer",
        ),
        (
            o.normalization == "batch" and o.objective in ENERGIES,
            f"--normalization batch: {auto} judges each image alone: use layer",
        ),
        (
            (o.label_smoothing or o.label_noise) and o.objective not in LABELLED,
            f"--label-smoothing and --label-noise: D of --objective {o.objective} does "
            f"not learn labels of 1 and 0, as it does with {', '.join(LABELLED)}",
        ),
        (
            o.objective == "wgan"
            and (o.normalization == "spectral" or o.architecture in ("resnet", "best")),
            "--objective wgan clips D's weights, and spectral normalization sets their "
            "norm to 1: they undo each other; use wgan-gp or hinge",
        ),
        (
            o.augment and o.objective in ENERGIES,
            f"--augment: {auto} would learn to copy the changes",
        ),
    )
