"""Which options do not go together, each with its reason."""

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
            f"{typed} belongs to --architecture flexible, not to {o.architecture}",
        ),
        (needing and not o.conditional, f"{needing} needs --conditional"),
        (
            o.architecture in TAKE_LABELS and o.condition != "concat",
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
            o.wrong_labels and o.d_batches == "separate",
            "--wrong-labels: the three kinds are one update; add --d-batches mixed",
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
    auto = AUTO.format(o.objective)
    return (
        (
            o.normalization == "batch" and o.objective in (*PENALIZED, *ENERGIES),
            "--normalization batch looks at the other images of the batch, while D of "
            f"--objective {o.objective} judges each alone: use layer",
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
