"""Reject combinations of options that are not allowed, each with its reason."""

from common.basics.errors import UserError
from common.objectives.table import OBJECTIVES
from common.options.table import OPTIONS

FLEXIBLE = tuple(row.name for row in OPTIONS.values() if row.requires == "flexible")
BINARY_TARGETS = [n for n, row in OBJECTIVES.items() if row.threshold == 0.5]
PENALIZED = [n for n, row in OBJECTIVES.items() if row.head == "score_of_single_images"]
AUTOENCODERS = [n for n, row in OBJECTIVES.items() if "energy" in str(row.head)]
AUTOENCODER = "D of --objective {} is an auto-encoder, which"
TAKE_LABELS = ("conditional-dense",)  # architectures that take classes themselves


def flexible_options(options):
    """Return the set options of a dict that belong to `--architecture flexible`."""
    return {n: options[n] for n in FLEXIBLE if options.get(n) is not None}


def check(options, source="", preset=()):
    """Raise a UserError for the first combination of options that is not allowed.

    Args:
        options: Namespace of all options.
        source: prefix of the message: where the options come from.
        preset: flags that the preset sets; the message ends with those it contains.
    """
    rules = (*_class_rules(options), *_loss_rules(options), _limit_rule(options))
    for is_violated, reason in rules:
        if is_violated:
            flags = [x for x in preset if x in reason.replace(":", " ").split()]
            by = f" (--preset {options.preset} sets {', '.join(flags)})" if flags else ""
            raise UserError(f"{source}{reason}{by}")


def _class_rules(o):
    typed = " and ".join(f"--{name}" for name in flexible_options(vars(o)))
    of_classes = {  # option -> whether it is set
        f"--condition {o.condition}": o.condition != "concat",
        "--wrong-labels": o.wrong_labels,
        "--attribute": getattr(o, "attribute", None),
        f"--architecture {o.architecture}": o.architecture in TAKE_LABELS,
    }
    needing = next((option for option, is_set in of_classes.items() if is_set), "")
    return (
        (
            typed and o.architecture != "flexible",
            f"{typed} belongs to --architecture flexible, not {o.architecture}: omit it",
        ),
        (needing and not o.conditional, f"{needing} needs --conditional: add it"),
        (
            o.architecture in TAKE_LABELS and o.condition != "concat",
            f"--architecture {o.architecture} allows --condition concat only: use it",
        ),
        (
            o.wrong_labels and o.condition == "classify",
            "--wrong-labels: with --condition classify D has no class input; use "
            "--condition concat or hadamard",
        ),
        (
            o.wrong_labels and o.objective in (*PENALIZED, *AUTOENCODERS),
            f"--wrong-labels: the loss of --objective {o.objective} has no term for real "
            "images with wrong labels; leave --wrong-labels out",
        ),
        (
            o.wrong_labels and o.d_batches == "separate",
            "--wrong-labels needs D batches of real, fake and mislabelled images; use "
            "--d-batches mixed",
        ),
        (
            o.conditional and o.objective in AUTOENCODERS,
            f"--conditional: {AUTOENCODER.format(o.objective)} has no class output; "
            "leave --conditional out, or use another --objective",
        ),
        (
            o.condition == "classify" and o.objective in PENALIZED,
            f"--condition classify: the loss of --objective {o.objective} takes scores "
            "only, no classes; use --condition concat or hadamard",
        ),
    )


def _loss_rules(o):
    auto = AUTOENCODER.format(o.objective)
    option = "--label-smoothing" if o.label_smoothing else "--label-noise"
    has = "normalization" if o.normalization == "spectral" else "architecture"
    return (
        (
            o.normalization == "batch" and o.objective in (*PENALIZED, *AUTOENCODERS),
            "--normalization batch depends on the other images of the batch, while D of "
            f"--objective {o.objective} scores single images; use --normalization layer",
        ),
        (
            (o.label_smoothing or o.label_noise) and o.objective not in BINARY_TARGETS,
            f"{option}: --objective {o.objective} has no 0/1 targets; leave {option} "
            f"out, or use --objective {', '.join(BINARY_TARGETS)}",
        ),
        (
            o.objective == "wgan"
            and (o.normalization == "spectral" or o.architecture in ("resnet", "best")),
            f"--{has} {getattr(o, has)}: spectral normalization sets D's weights to norm "
            "1, which conflicts with --objective wgan, which clips them; use --objective "
            "wgan-gp or hinge",
        ),
        (
            o.augment and o.objective in AUTOENCODERS,
            f"--augment: {auto} would learn to copy the augmentations; leave "
            "--augment out",
        ),
    )


def _limit_rule(o):
    n_real = o.batch_size // 2 * o.critic_steps  # as `training.prepare` computes it
    return (
        o.limit and o.limit < n_real,
        f"--limit {o.limit}: a step takes {n_real} real images (--batch-size / 2 x "
        f"--critic-steps); use at least --limit {n_real}, or a smaller --batch-size",
    )
