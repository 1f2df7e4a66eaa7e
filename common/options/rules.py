"""Combinations of options that are not allowed, each with its reason."""

from common.basics.errors import UserError
from common.objectives.table import OBJECTIVES
from common.options.table import OPTIONS

FLEXIBLE = tuple(row.name for row in OPTIONS.values() if row.of == "flexible")
LABELLED = [n for n, row in OBJECTIVES.items() if row.threshold == 0.5]  # labels 1 and 0
PENALIZED = [n for n, row in OBJECTIVES.items() if row.head == "score_of_single_images"]
ENERGIES = [n for n, row in OBJECTIVES.items() if "energy" in str(row.head)]
AUTO = "D of --objective {} is an auto-encoder, which"
TAKE_LABELS = ("conditional-dense",)  # architectures that take classes themselves


def flexible_options(options):
    """Return those of a dict that belong to `--architecture flexible` and are set."""
    return {n: options[n] for n in FLEXIBLE if options.get(n) is not None}


def check(options, source="", preset=()):
    """Raise a UserError for the first combination of options that is not allowed.

    Args:
        options: Namespace of all options.
        source: text before the message: where the options are from.
        preset: flags that the preset sets; those in the message are named at its end.
    """
    rules = (*_rules_of_classes(options), *_rules_of_losses(options))
    for nonsense, reason in rules:
        if nonsense:
            flags = [x for x in preset if x in reason.replace(":", " ").split()]
            by = f" (--preset {options.preset} sets {', '.join(flags)})" if flags else ""
            raise UserError(f"{source}{reason}{by}")


def _rules_of_classes(o):
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
            f"--architecture {o.architecture} allows --condition concat only: use that",
        ),
        (
            o.wrong_labels and o.condition == "classify",
            "--wrong-labels: with --condition classify no class is an input of D; use "
            "concat or hadamard",
        ),
        (
            o.wrong_labels and o.objective in (*PENALIZED, *ENERGIES),
            f"--wrong-labels: the loss of --objective {o.objective} has no third kind of "
            "images besides real and fake ones; leave it out",
        ),
        (
            o.wrong_labels and o.d_batches == "separate",
            "--wrong-labels needs one D batch of all three kinds; add --d-batches mixed",
        ),
        (
            o.conditional and o.objective in ENERGIES,
            f"--conditional: {AUTO.format(o.objective)} has no output for a class; leave "
            "it out, or use another --objective",
        ),
        (
            o.condition == "classify" and o.objective in PENALIZED,
            f"--condition classify: the loss of --objective {o.objective} takes scores "
            "only, no classes; use concat or hadamard",
        ),
    )


def _rules_of_losses(o):
    auto = AUTO.format(o.objective)
    option = "--label-smoothing" if o.label_smoothing else "--label-noise"
    has = "normalization" if o.normalization == "spectral" else "architecture"
    return (
        (
            o.normalization == "batch" and o.objective in (*PENALIZED, *ENERGIES),
            "--normalization batch depends on the other images of the batch, while D of "
            f"--objective {o.objective} must score each image independently; use layer",
        ),
        (
            (o.label_smoothing or o.label_noise) and o.objective not in LABELLED,
            f"{option}: --objective {o.objective} uses no 0/1 targets; use one of "
            f"{', '.join(LABELLED)}",
        ),
        (
            o.objective == "wgan"
            and (o.normalization == "spectral" or o.architecture in ("resnet", "best")),
            f"--{has} {getattr(o, has)}: spectral normalization sets D's weights to norm "
            "1, which conflicts with --objective wgan, which clips them; use wgan-gp or "
            "hinge",
        ),
        (
            o.augment and o.objective in ENERGIES,
            f"--augment: {auto} would learn to copy the augmentations; leave it out",
        ),
    )
