"""Match the units of a layer to concepts, then ablate and force some of them.

What to look for: some units are active where a concept is present, in image after image:
strokes at the bottom, holes, skies. The overlap of both areas is the intersection over
union (IoU; 1: the same pixels, 0: no common pixel). Correlation is not causation: so the
best units are ablated (set to zero) and then forced (set everywhere to the mean of their
active pixels), and the images are generated again. The concept should disappear, then
appear, and nothing else should change. As many random units are ablated for comparison.
A unit matches a concept if its IoU is at least twice the IoU by chance, which is that of
the same activation maps with the concept masks of other images.

Source: Bau et al. (2019), "GAN Dissection".
"""

import csv
from typing import NamedTuple

import numpy as np

from common.basics.cli import at_most, whole_number
from common.basics.errors import UserError
from common.exploring.concepts import concept_names, find_concepts, fixed_concepts
from common.exploring.pictures import save_rows
from common.exploring.units import (
    activation_thresholds,
    intervene,
    measure_effects,
    score_units,
    upsample,
)
from common.plotting import new_figure, to_pictures
from common.sampling import generate_images

ACTIVE_FRACTION = 0.1  # of the pixels: there a unit counts as active
MIN_IOU, MIN_RATIO = 0.04, 2  # of a match: IoU, and IoU / IoU by chance
N_BEST = 4  # units that are ablated and forced
N_ROWS, N_COLUMNS = 6, 10  # units, and images of each
FADE_COLOUR = (0.45, 0.5, 0.6)  # RGB that inactive pixels are blended with


def add_options(parser):
    add = parser.add_argument
    text = "name of a layer in the model's summary (default: last of half the image size)"
    add("--layer", metavar="NAME", help=text)
    text = "number of generated images (500)"
    add("-n", type=whole_number(20, 2000), default=500, help=text)
    text = f"fraction of the pixels where a unit counts as active ({ACTIVE_FRACTION})"
    add("--top", type=at_most(0.5), default=ACTIVE_FRACTION, metavar="SHARE", help=text)
    text = "folder of masks: NAME.png is white where the concept NAME is present"
    add("--masks", metavar="DIR", help=text)
    add = parser.add_mutually_exclusive_group().add_argument
    text = f"ablate and force {N_BEST} units of this concept (default: the best match)"
    add("--concept", metavar="NAME", help=text)
    text = "ablate and force these units"
    add("--units", nargs="+", type=whole_number(0), metavar="N", help=text)


def find_layer(subject, options):
    """Return the name of the layer to dissect, and its index in `layers.layer_chain`.

    Args:
        subject: subject.Subject.
        options: Namespace with layer and units.

    Raises:
        UserError: the generator has no layer with feature maps, --layer is none of them,
            or a unit of --units is not in the layer.
    """
    from common.exploring.layers import feature_map_layers

    layers = feature_map_layers(subject.g_model)
    if not layers:
        raise UserError(f"{subject.path} has no layer with feature maps: use a CNN")
    small = [x for x, (_, shape) in layers.items() if 2 * shape[0] <= subject.shape[0]]
    layer = options.layer or (small or list(layers))[-1]
    if layer not in layers:
        names = ", ".join(f"{name} {shape}" for name, (_, shape) in layers.items())
        raise UserError(f"--layer {layer}: no layer with feature maps; choose {names}")
    index, (*_, n_units) = layers[layer]
    if options.units and (unit := max(options.units)) >= n_units:
        raise UserError(f"--units {unit}: {layer} has units 0 to {n_units - 1}; use one")
    return layer, index


def run(subject, options, folder):
    """Match units to concepts, ablate and force the best; save the table and pictures.

    Args:
        subject: subject.Subject.
        options: Namespace with n, seed, label, layer, top, masks, concept and units.
        folder: Path of the folder for the results.

    Raises:
        UserError: the concept, the layer or a unit does not exist, or no unit matches.
    """
    from common.exploring.layers import split

    fixed = fixed_concepts(subject, options.masks)
    names = concept_names(subject, fixed)
    if options.concept not in (None, *names):
        raise UserError(f"--concept {options.concept}: choose one of {', '.join(names)}")
    layer, index = find_layer(subject, options)
    vectors = subject.latent_vectors(options.n, options.seed)
    labels = subject.labels(options.n, options.label)
    images = subject.generate(vectors, labels)
    concepts = find_concepts(subject, images, fixed)
    head, tail = split(subject.g_model, index)
    maps = generate_images(head, vectors, labels)
    thresholds = activation_thresholds(maps, options.top, subject.shape)
    ious, chance = score_units(maps, thresholds, concepts, fixed, options.seed)
    scores = UnitScores(tuple(concepts), ious, chance)
    matches = find_matches(scores)
    print(f"{layer}: {len(matches)} of {len(ious)} units match a concept")
    for unit, i in matches[:N_ROWS]:
        numbers = f"IoU {ious[unit, i]:.2f} (chance {chance[unit, i]:.2f})"
        print(f">unit {unit}: {scores.names[i]}, {numbers}")
    units, concept = choose_units(options, scores, matches)
    print(f"ablated and forced for {concept}:")
    for unit in units:
        print(f">{describe_unit(scores, unit)}")
    versions = intervene(tail, maps, units, thresholds, options.seed)
    effects = measure_effects(subject, versions, concepts[concept])
    for name in effects["unchanged"]:
        row = [f"{version} {effect[name]:.3f}" for version, effect in effects.items()]
        print(f">{name}: {', '.join(row)}")
    save_table(scores, folder / "units.csv")
    if matches:
        path = folder / "units.png"
        save_units(subject, images, maps, thresholds, scores, matches, path)
    rows = [version[:N_COLUMNS] for version in versions.values()]
    save_rows(rows, list(versions), folder / "switched.png", subject.low)
    if subject.real_classes:
        save_class_shares(effects, subject.real_classes, folder / "classes.png")


class UnitScores(NamedTuple):
    """The result of `units.score_units`."""

    names: tuple  # of the concepts
    ious: np.ndarray  # float (units, concepts)
    chance: np.ndarray  # float (units, concepts), IoUs by chance

    @property
    def excess(self):
        """Return IoU minus IoU by chance for a match, else 0: float (units, concepts)."""
        is_match = (self.ious >= MIN_IOU) & (self.ious >= MIN_RATIO * self.chance)
        return np.where(is_match, self.ious - self.chance, 0)


def find_matches(scores):
    """Return (unit, index of its concept) of every unit that matches one, best first.

    The concept of a unit is the one with the largest IoU minus IoU by chance.
    """
    excess = scores.excess
    matches = (x for x in enumerate(excess.argmax(axis=1)) if excess[x] > 0)
    return sorted(matches, key=lambda x: -excess[x])


def describe_unit(scores, unit):
    """Return a str with the three concepts that have the largest IoU with a unit."""
    best = np.argsort(-scores.ious[unit])[:3]
    texts = [f"{scores.names[i]} {scores.ious[unit, i]:.2f}" for i in best]
    return f"unit {unit}, IoU: {', '.join(texts)}"


def choose_units(options, scores, matches):
    """Return the units to ablate and force, and the name of their concept.

    Args:
        options: Namespace with units and concept.
        scores: UnitScores.
        matches: see `find_matches`.

    Raises:
        UserError: no unit matches the concept, or none matches any concept.
    """
    if options.units:
        units = sorted(set(options.units))
        return units, scores.names[scores.ious[units].mean(axis=0).argmax()]
    if not matches and options.concept is None:
        raise UserError("no unit matches a concept: choose units with --units")
    concept = options.concept or scores.names[matches[0][1]]
    excess = scores.excess[:, scores.names.index(concept)]
    units = [int(unit) for unit in np.argsort(-excess)[:N_BEST] if excess[unit] > 0]
    if not units:
        raise UserError(
            f"--concept {concept}: no unit has an IoU of at least {MIN_IOU} and twice "
            "the IoU by chance; choose another concept, or --units"
        )
    return units, concept


def save_table(scores, path):
    """Save all IoUs as a CSV file: one row per unit, one column per concept."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["unit", *scores.names])
        rows = enumerate(scores.ious)
        writer.writerows([unit, *(f"{x:.4f}" for x in row)] for unit, row in rows)


def save_units(subject, images, maps, thresholds, scores, matches, path):
    """Save the images with the highest activations of the best units.

    Inactive pixels are faded. Active pixels of grey images are tinted.

    Args:
        subject: subject.Subject.
        images: float32 (n, h, w, c) in [low, 1].
        maps: float32 (n, map_h, map_w, units).
        thresholds: float (units,), activation above which a unit counts as active.
        scores: UnitScores.
        matches: see `find_matches`; the first N_ROWS are saved, one per row.
        path: PNG to write.
    """
    rows, captions = [], []
    for unit, concept in matches[:N_ROWS]:
        order = np.argsort(-maps[..., unit].max(axis=(1, 2)), kind="stable")[:N_COLUMNS]
        active = upsample(maps[order][..., [unit]], subject.shape) > thresholds[unit]
        pictures = to_pictures(images[order], subject.low) / np.float32(255)
        if subject.shape[-1] == 1:
            inside, outside = pictures * np.float32([1, 0.8, 0.3]), 0.3 * pictures + 0.7
        else:
            inside, outside = pictures, 0.25 * pictures + 0.75 * np.float32(FADE_COLOUR)
        rows.append(2 * np.where(active, inside, outside) - 1)
        iou = scores.ious[unit, concept]
        captions.append(f"{scores.names[concept]}\nunit {unit}, IoU {iou:.2f}")
    save_rows(rows, captions, path, low=-1)


def save_class_shares(effects, names, path):
    """Plot the percentage of images of each predicted class.

    Args:
        effects: see `units.measure_effects`.
        names: names of the classes.
        path: PNG to write.
    """
    width = 0.8 / len(effects)
    with new_figure(path, (8, 3)) as (figure, (axis,)):
        for i, (version, effect) in enumerate(effects.items()):
            positions = np.arange(len(names)) + (i - (len(effects) - 1) / 2) * width
            percentages = [100 * effect[f"classified as {name}"] for name in names]
            axis.bar(positions, percentages, width, label=version)
        rotation = 30 if max(map(len, names)) > 3 else 0
        axis.set_xticks(range(len(names)), names, rotation=rotation)
        axis.set(ylabel="% of images", xlabel="classified as")
        figure.legend(loc="outside upper center", ncols=len(effects), frameon=False)
