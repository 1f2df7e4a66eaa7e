"""What is each unit for? Name the units of a layer, then switch some off, and on.

What to look for: a unit is active where something is, in image after image: strokes at
the bottom, holes, skies. The overlap of both areas is the IoU (1: always the same pixels,
0: never). Overlap is not cause: so the best units are ablated, set to zero, and the
images drawn again; then forced, everywhere as high as where they are active. What they
draw goes, and comes, and all else should stay; as many random units, ablated, show what
any loss does. A unit counts as one for a concept where it meets it at least twice as
often as by chance, which is what the same maps have of it in other images.

Bau et al. (2019), "GAN Dissection".
"""

import csv
from typing import NamedTuple

import numpy as np

from common.basics.cli import at_most, whole_number
from common.basics.errors import UserError
from common.exploring.concepts import areas_of, find_concepts, names_of
from common.exploring.pictures import save_rows
from common.exploring.units import enlarge, measure, score_units, switch, thresholds_of
from common.plotting import new_figure, to_pictures
from common.sampling import generate_images

TOP = 0.1  # share of the pixels where a unit counts as active
LEAST, TIMES = 0.04, 2  # IoU that counts, and times that of chance
BEST = 4  # units that are switched off and on
SHOWN_UNITS, SHOWN = 6, 10  # rows and images of the pictures
FADED = (0.45, 0.5, 0.6)  # what units do not look at fades into this


def add_options(parser):
    add = parser.add_argument
    text = "name of the layer, as the model's summary has it (the last of half size)"
    add("--layer", metavar="NAME", help=text)
    text = "images to look at (500)"
    add("-n", type=whole_number(20, 2000), default=500, help=text)
    text = f"share of all pixels where a unit counts as active ({TOP})"
    add("--top", type=at_most(0.5), default=TOP, metavar="SHARE", help=text)
    text = "a folder of PNGs, white where something is, named after it: more concepts"
    add("--masks", metavar="DIR", help=text)
    chosen = parser.add_mutually_exclusive_group().add_argument
    text = f"switch the {BEST} best units for this (the one with the highest IoU)"
    chosen("--concept", metavar="NAME", help=text)
    text = "switch these units instead"
    chosen("--units", nargs="+", type=whole_number(0), metavar="N", help=text)


def find_layer(subject, options):
    """Return the name of the layer whose units are named, and its index in `chain`.

    Raises:
        UserError: there is no such layer, or no such unit in it.
    """
    from common.exploring.layers import layers_of_units

    found = layers_of_units(subject.g_model)
    if not found:
        raise UserError(f"{subject.path}: this generator has no layer that draws maps")
    small = [x for x, (_, shape) in found.items() if 2 * shape[0] <= subject.shape[0]]
    layer = options.layer or (small or list(found))[-1]
    if layer not in found:
        names = ", ".join(f"{name} {shape}" for name, (_, shape) in found.items())
        raise UserError(f"--layer {layer}: there are {names}")
    index, (*_, n_units) = found[layer]
    if options.units and max(options.units) >= n_units:
        raise UserError(f"--units {max(options.units)}: {layer} has {n_units}")
    return layer, index


def run(subject, options, folder):
    """Name the units, switch the chosen ones, save the table and the pictures."""
    from common.exploring.layers import split

    areas = areas_of(subject, options.masks)
    names = names_of(subject, areas)
    if options.concept not in (None, *names):
        raise UserError(f"--concept {options.concept}: known are {', '.join(names)}")
    layer, index = find_layer(subject, options)
    points = subject.latent_vectors(options.n, options.seed)
    labels = subject.labels(options.n, options.label)
    images = subject.draw(points, labels)
    concepts = find_concepts(subject, images, areas)
    head, tail = split(subject.g_model, index)
    maps = generate_images(head, points, labels)
    thresholds = thresholds_of(maps, options.top, subject.shape)
    ious, chance = score_units(maps, thresholds, concepts, areas, options.seed)
    scores = Scores(tuple(concepts), ious, chance)
    best = best_of_units(scores)
    print(f"{layer}: {len(best)} of {len(ious)} units are for something")
    for at in best[:SHOWN_UNITS]:
        numbers = f"IoU {ious[at]:.2f} (chance {chance[at]:.2f})"
        print(f">unit {at[0]}: {scores.names[at[1]]}, {numbers}")
    units, concept = choose(options, scores, best)
    print(f"switched, for {concept}:")
    for unit in units:
        print(f">{what_for(scores, unit)}")
    versions = switch(tail, maps, units, thresholds, options.seed)
    effects = measure(subject, versions, concepts[concept])
    for name in effects["as drawn"]:
        row = [f"{version} {found[name]:.3f}" for version, found in effects.items()]
        print(f">{name}: {', '.join(row)}")
    save_table(scores, folder / "units.csv")
    if best:
        path = folder / "units.png"
        save_units(subject, images, maps, thresholds, scores, best[:SHOWN_UNITS], path)
    rows = [version[:SHOWN] for version in versions.values()]
    save_rows(rows, list(versions), folder / "switched.png", subject.low)
    if subject.classified_as:
        save_histograms(effects, subject.classified_as, folder / "classes.png")


class Scores(NamedTuple):
    """What `units.score_units` finds."""

    names: tuple  # of the concepts
    ious: np.ndarray  # (units, concepts)
    chance: np.ndarray  # the same

    @property
    def excess(self):
        """IoU less that of chance where it counts, else 0."""
        counts = (self.ious >= LEAST) & (self.ious >= TIMES * self.chance)
        return np.where(counts, self.ious - self.chance, 0)


def best_of_units(scores):
    """Return (unit, number of its concept) of each that is for something, best first.

    A unit is for the concept that it meets by the largest IoU more than chance does.
    """
    excess = scores.excess
    pairs = (x for x in enumerate(excess.argmax(axis=1)) if excess[x] > 0)
    return sorted(pairs, key=lambda x: -excess[x])


def what_for(scores, unit):
    """A text on the three concepts with which a unit overlaps most."""
    best = np.argsort(-scores.ious[unit])[:3]
    texts = [f"{scores.names[c]} {scores.ious[unit, c]:.2f}" for c in best]
    return f"unit {unit}, IoU: {', '.join(texts)}"


def choose(options, scores, best):
    """The units to be switched, and the concept that they are the best for.

    Raises:
        UserError: no unit is for this concept, or for any.
    """
    if options.units:
        units = sorted(set(options.units))
        return units, scores.names[scores.ious[units].mean(axis=0).argmax()]
    if not best and options.concept is None:
        raise UserError("no unit is for a concept that is known here: try --units")
    concept = options.concept or scores.names[best[0][1]]
    excess = scores.excess[:, scores.names.index(concept)]
    units = [int(unit) for unit in np.argsort(-excess)[:BEST] if excess[unit] > 0]
    if not units:
        raise UserError(
            f"--concept {concept}: no unit meets it twice as often as chance, and by an "
            f"IoU of {LEAST}: choose another, or --units"
        )
    return units, concept


def save_table(scores, path):
    """Save all IoU, a row for each unit, a column for each concept."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["unit", *scores.names])
        for unit, row in enumerate(scores.ious):
            writer.writerow([unit, *(f"{x:.4f}" for x in row)])


def save_units(subject, images, maps, thresholds, scores, best, path):
    """Save, for these units, the images where they are most active, and where.

    What the unit does not look at is faded; its place is tinted in drawings.
    """
    rows, captions = [], []
    for unit, concept in best:
        order = np.argsort(-maps[..., unit].max(axis=(1, 2)), kind="stable")[:SHOWN]
        active = enlarge(maps[order][..., [unit]], subject.shape) > thresholds[unit]
        pictures = to_pictures(images[order], subject.low) / np.float32(255)
        if subject.shape[-1] == 1:
            inside, outside = pictures * np.float32([1, 0.8, 0.3]), 0.3 * pictures + 0.7
        else:
            inside, outside = pictures, 0.25 * pictures + 0.75 * np.float32(FADED)
        rows.append(2 * np.where(active, inside, outside) - 1)
        iou = scores.ious[unit, concept]
        captions.append(f"{scores.names[concept]}\nunit {unit}, IoU {iou:.2f}")
    save_rows(rows, captions, path, low=-1)


def save_histograms(effects, names, path):
    """Draw what the images are read as: `units.measure`'s dict, and names of classes."""
    width = 0.8 / len(effects)
    with new_figure(path, (8, 3)) as (figure, (axis,)):
        for i, (version, found) in enumerate(effects.items()):
            at = np.arange(len(names)) + (i - (len(effects) - 1) / 2) * width
            shares = [100 * found[f"read as {name}"] for name in names]
            axis.bar(at, shares, width, label=version)
        slant = 30 if max(map(len, names)) > 3 else 0
        axis.set_xticks(range(len(names)), names, rotation=slant)
        axis.set(ylabel="% of images", xlabel="read by the classifier as")
        figure.legend(loc="outside upper center", ncols=len(effects), frameon=False)
