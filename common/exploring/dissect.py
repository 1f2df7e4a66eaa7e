"""What is each unit for? Name the units of a layer, then switch some off, and on.

What to look for: a unit is active where something is, in image after image: strokes at
the bottom, holes, skies. The overlap of both areas is the IoU (1: always the same pixels,
0: never). Overlap is not cause: so the best units are ablated, set to zero, and the
images drawn again. If they drew the concept, it goes; set to their highest activation
everywhere, it comes. As many random units, ablated, show what any loss does.

Bau et al. (2019), "GAN Dissection"; page.html holds all of it.
"""

import csv

import numpy as np

from common.cli import at_most, whole_number
from common.errors import UserError
from common.exploring.geometry import intersection_over_union, overlaps
from common.exploring.pictures import save_rows

TOP = 0.1  # share of the pixels where a unit counts as active
LEAST = 0.04  # IoU that counts: the paper's (of its predecessor, Network Dissection)
BEST = 4  # units that are switched off and on
SHOWN_UNITS, SHOWN = 6, 10  # rows and images of the pictures
AT_A_TIME = 50  # images


def add_options(parser):
    add = parser.add_argument
    text = "name of the layer, as the model's summary has it (the last of half size)"
    add("--layer", metavar="NAME", help=text)
    text = "images to look at (500)"
    add("-n", type=whole_number(20, 20_000), default=500, help=text)
    text = f"share of all pixels where a unit counts as active ({TOP})"
    add("--top", type=at_most(0.5), default=TOP, metavar="SHARE", help=text)
    text = "a folder of PNGs, white where something is, named after it: more concepts"
    add("--masks", metavar="DIR", help=text)
    chosen = parser.add_mutually_exclusive_group().add_argument
    text = f"switch the {BEST} best units for this (the one with the highest IoU)"
    chosen("--concept", metavar="NAME", help=text)
    text = "switch these units instead"
    chosen("--units", nargs="+", type=whole_number(0), metavar="N", help=text)


def check(subject, options):
    """Find the layer.

    Raises:
        UserError: there is no such layer, or no such unit in it.
    """
    from common.exploring.concepts import of_masks
    from common.exploring.layers import layers_of_units

    subject.labels(1, options.label)
    if options.masks:
        of_masks(options.masks, subject.shape)
    found = layers_of_units(subject.g_model)
    if not found:
        raise UserError(f"{subject.path}: this generator has no layer that draws maps")
    if options.layer is None:
        small = [x for x, (_, shape) in found.items() if 2 * shape[0] <= subject.shape[0]]
        options.layer = (small or list(found))[-1]
    if options.layer not in found:
        names = ", ".join(f"{name} {shape}" for name, (_, shape) in found.items())
        raise UserError(f"--layer {options.layer}: there are {names}")
    options.index, options.layer_shape = found[options.layer]
    n_units = options.layer_shape[2]
    if options.units and max(options.units) >= n_units:
        raise UserError(f"--units {max(options.units)}: {options.layer} has {n_units}")


def run(subject, options, folder):
    """Name the units, switch the chosen ones, save the pictures and the page."""
    from common.exploring.concepts import find_concepts
    from common.exploring.layers import split
    from common.exploring.page import save_page
    from common.sampling import generate_images

    points = subject.points(options.n, options.seed)
    labels = subject.labels(options.n, options.label)
    images = subject.draw(points, labels)
    concepts = find_concepts(subject, images, options.masks)
    head, tail = split(subject.g_model, options.index)
    maps = generate_images(head, points, labels)
    thresholds = np.quantile(maps, 1 - options.top, axis=(0, 1, 2))
    ious = score_units(maps, thresholds, concepts, subject.shape)
    best = named_units(ious, list(concepts))
    print(f"{options.layer}: {len(best)} of {len(ious)} units are for something")
    for concept, unit, iou in best[:SHOWN_UNITS]:
        print(f">unit {unit}: {concept}, IoU {iou:.2f}")
    units, concept = choose(options, ious, list(concepts))
    print(f"switched: units {', '.join(map(str, units))}, for {concept}")
    versions = switch(tail, maps, units, thresholds, options.seed)
    effects = measure(subject, versions, concepts[concept], concept)
    for name, found in effects.items():
        numbers = [f"{key} {value:.3f}" for key, value in found["numbers"].items()]
        print(f">{name}: {', '.join(numbers)}")
    save_table(ious, list(concepts), folder / "units.csv")
    save_units(subject, images, maps, thresholds, best, folder / "units.png")
    rows = [version[:SHOWN] for version in versions.values()]
    save_rows(rows, list(versions), folder / "switched.png", subject.low)
    histograms = {name: found["classes"] for name, found in effects.items()}
    if subject.read_as:
        save_histograms(histograms, subject.read_as, folder / "classes.png")
    of_concepts = best_units(ious, list(concepts))
    save_page(subject, options, of_concepts, (units, concept), effects, folder)


def enlarge(maps, thresholds, shape):
    """Where each unit is active, in an image's size: bool (n, h, w, units).

    Args:
        maps: float32 (n, small h, small w, units); they are enlarged bilinearly.
        thresholds: float (units,).
        shape: (h, w, c) of an image.
    """
    from keras import ops

    large = ops.image.resize(maps, shape[:2], interpolation="bilinear")
    return ops.convert_to_numpy(large) > thresholds


def score_units(maps, thresholds, concepts, shape):
    """IoU of every unit with every concept: float (units, concepts).

    Args:
        maps, thresholds, shape: see `enlarge`.
        concepts: dict, name -> bool (n, h, w).
    """
    from tqdm import tqdm

    counts = 0
    for start in tqdm(range(0, len(maps), AT_A_TIME), "units", disable=None, leave=False):
        rows = slice(start, start + AT_A_TIME)
        active = enlarge(maps[rows], thresholds, shape)
        named = np.stack([mask[rows] for mask in concepts.values()], axis=-1)
        n_units, n_concepts = active.shape[-1], named.shape[-1]
        counts += overlaps(active.reshape(-1, n_units), named.reshape(-1, n_concepts))
    return intersection_over_union(counts)


def best_units(ious, names):
    """(concept, unit, IoU) of the best unit of each concept that has one, best first."""
    found = [
        (name, int(ious[:, i].argmax()), float(ious[:, i].max()))
        for i, name in enumerate(names)
    ]
    return best_first(found)


def named_units(ious, names):
    """(concept, unit, IoU) of each unit and its best concept, best first."""
    found = [
        (names[row.argmax()], unit, float(row.max())) for unit, row in enumerate(ious)
    ]
    return best_first(found)


def best_first(found):
    return sorted((x for x in found if x[2] >= LEAST), key=lambda x: -x[2])


def choose(options, ious, names):
    """The units to be switched, and the concept that they are the best for.

    Raises:
        UserError: there is no such concept, or no unit for it.
    """
    if options.units:
        at = int(ious[options.units].mean(axis=0).argmax())
        return options.units, names[at]
    concept = options.concept or names[int(ious.max(axis=0).argmax())]
    if concept not in names:
        raise UserError(f"--concept {concept}: known are {', '.join(names)}")
    scores = ious[:, names.index(concept)]
    units = [int(unit) for unit in np.argsort(-scores)[:BEST] if scores[unit] >= LEAST]
    if not units:
        raise UserError(
            f"--concept {concept}: the best unit has an IoU of {scores.max():.3f}, too "
            f"little (below {LEAST}): choose another, or --units"
        )
    return units, concept


def switch(tail, maps, units, thresholds, seed):
    """The images with these units as they are, ablated and forced.

    Args:
        tail: model, activations -> images.
        maps: float32 (n, h, w, units).
        units: their numbers.
        thresholds: float (units,), above which a unit counts as active.
        seed: of the random units that are ablated for comparison.

    Returns:
        dict, name -> float32 (n, h, w, c). Forced is every pixel of the units' maps, to
        the mean of what is above the threshold.
    """
    others = np.setdiff1d(np.arange(maps.shape[-1]), units)
    chance = np.random.default_rng(seed).permutation(others)[: len(units)]
    active = maps > thresholds
    levels = np.sum(maps, axis=(0, 1, 2), where=active)
    levels /= np.maximum(active.sum(axis=(0, 1, 2)), 1)
    versions = {"as drawn": tail.predict(maps, batch_size=100, verbose=0)}
    changes = {
        "ablated": (units, 0),
        "forced": (units, levels[units]),
        "random ablated": (chance, 0),
    }
    for name, (numbers, level) in changes.items():
        changed = maps.copy()
        changed[..., numbers] = level
        versions[name] = tail.predict(changed, batch_size=100, verbose=0)
    return {name: images.astype("float32") for name, images in versions.items()}


def measure(subject, versions, mask, concept):
    """What switching did.

    Args:
        subject: subject.Subject.
        versions: dict, name -> images; the first are unchanged.
        mask: bool (n, h, w), where the concept is in them.
        concept: its name.

    Returns:
        dict, version -> `numbers`: the `share` of pixels with the concept, if it is seen
        in an image (areas, and what a classifier names, are not measured), mean change
        of grey levels (0 to 1) `inside` the mask and `outside`, `confidence` of the
        classifier; and `classes`, the shares of images read as each, or None.
    """
    from common.exploring.concepts import seen_in

    before, found = None, {}
    for name, images in versions.items():
        shares = subject.flat(images).reshape(images.shape)
        before = shares if before is None else before
        change = np.abs(shares - before).mean(axis=-1)
        named = seen_in(subject, images)
        numbers = {"share": named[concept].mean()} if concept in named else {}
        numbers["inside"] = change.mean(where=mask) if mask.any() else 0.0
        numbers["outside"] = change.mean(where=~mask)
        probabilities = subject.probabilities(images)
        classes = None
        if probabilities is not None:
            numbers["confidence"] = probabilities.max(axis=1).mean()
            read = probabilities.argmax(axis=1)
            classes = np.bincount(read, minlength=probabilities.shape[1]) / len(read)
        found[name] = {"numbers": numbers, "classes": classes}
    return found


def save_table(ious, names, path):
    """Save all IoU, a row for each unit, a column for each concept."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["unit", *names])
        writer.writerows([i, *(f"{x:.4f}" for x in row)] for i, row in enumerate(ious))


def save_units(subject, images, maps, thresholds, best, path):
    """Save, for the best units, the images where they are most active, and where.

    What the unit does not look at is faded; its place is tinted in drawings.
    """
    from common.plotting import to_pictures

    rows, captions = [], []
    for concept, unit, iou in best[:SHOWN_UNITS]:
        order = np.argsort(-maps[..., unit].max(axis=(1, 2)), kind="stable")[:SHOWN]
        one = maps[order][..., [unit]]
        active = enlarge(one, thresholds[[unit]], subject.shape)
        pictures = to_pictures(images[order], subject.low) / np.float32(255)
        tint = np.float32([1, 0.8, 0.3]) if subject.shape[-1] == 1 else np.float32(1)
        shown = np.where(active, pictures * tint, 0.3 * pictures + 0.7)
        rows.append(2 * shown - 1)
        captions.append(f"{concept}\nunit {unit}, IoU {iou:.2f}")
    if rows:
        save_rows(rows, captions, path, low=-1)


def save_histograms(histograms, names, path):
    """Draw what the images are read as: dict, version -> shares (classes,)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3), layout="constrained")
    axis = figure.subplots()
    width = 0.8 / len(histograms)
    for i, (version, shares) in enumerate(histograms.items()):
        at = np.arange(len(names)) + (i - (len(histograms) - 1) / 2) * width
        axis.bar(at, 100 * shares, width, label=version)
    slant = 30 if max(map(len, names)) > 3 else 0
    axis.set_xticks(range(len(names)), names, rotation=slant)
    axis.set_ylabel("% of images")
    axis.set_xlabel("read by the classifier as")
    figure.legend(loc="outside upper center", ncols=len(histograms), frameon=False)
    figure.savefig(path, dpi=100)
