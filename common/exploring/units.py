"""Units of a layer: their active areas, their concepts, and their effects."""

import numpy as np
from tqdm import tqdm

from common.exploring.concepts import pixel_concepts
from common.exploring.geometry import intersection_over_union, overlaps

AT_A_TIME = 50  # images of a batch
N_THRESHOLDS = 100  # images for the quantile of activations


def enlarge(maps, shape):
    """Resize feature maps to the image size, bilinearly, as in Bau et al. (2019).

    Args:
        maps: float32 (n, small h, small w, units).
        shape: (h, w, c) of an image.

    Returns:
        float32 (n, h, w, units).
    """
    from keras import ops

    large = ops.image.resize(maps, shape[:2], interpolation="bilinear")
    return ops.convert_to_numpy(large)


def thresholds_of(maps, top, shape):
    """Return the activation above which each unit counts as active: float (units,).

    Args:
        maps: float32 (n, small h, small w, units).
        top: share of the pixels in [0, 1] that count as active.
        shape: (h, w, c) of an image.
    """
    large = enlarge(maps[:N_THRESHOLDS], shape)
    return np.quantile(large, 1 - top, axis=(0, 1, 2))


def score_units(maps, thresholds, concepts, fixed, seed):
    """Return the IoU of every unit with every concept, and the IoU by chance.

    The IoU by chance is that of the same maps with the concept masks of other images, so
    a unit that is always active in the middle, where strokes are, does not match strokes.
    For a concept with the same mask in all images, it is the IoU that is expected of a
    unit that is active as often, at random pixels.

    Args:
        maps: float32 (n, small h, small w, units).
        thresholds: float (units,), see `thresholds_of`.
        concepts: dict, name -> bool (n, h, w).
        fixed: names of the concepts with the same mask in all images.
        seed: of the permutation of the images.

    Returns:
        two arrays float (units, concepts) in [0, 1].
    """
    shape = next(iter(concepts.values())).shape[1:]
    others = np.random.default_rng(seed).permutation(len(maps))
    counts = np.zeros((2, 3, maps.shape[-1], len(concepts)))  # same, other images
    for start in tqdm(range(0, len(maps), AT_A_TIME), "units", disable=None, leave=False):
        rows = slice(start, start + AT_A_TIME)
        active = enlarge(maps[rows], shape) > thresholds
        active = active.reshape(-1, active.shape[-1])
        for found, picks in zip(counts, (rows, others[rows]), strict=True):
            masks = np.stack([mask[picks] for mask in concepts.values()], axis=-1)
            found += overlaps(active, masks.reshape(-1, masks.shape[-1]))
    counts, by_chance = counts
    is_fixed = [name in fixed for name in concepts]
    _, of_units, of_concepts = by_chance[:, :, is_fixed]
    n_pixels = len(maps) * np.prod(shape)
    by_chance[0][:, is_fixed] = of_units * of_concepts / n_pixels
    return intersection_over_union(counts), intersection_over_union(by_chance)


def switch(tail, maps, units, thresholds, seed):
    """Generate the images with these units unchanged, ablated and forced.

    Ablated units are set to zero. Forced units are set, at every pixel, to the mean of
    their activations above the threshold.

    Args:
        tail: model, activations -> images.
        maps: float32 (n, h, w, units).
        units: indices of the units.
        thresholds: float (units,), activation above which a unit counts as active.
        seed: of the random units that are ablated for comparison.

    Returns:
        dict, name of the version -> float32 (n, h, w, c).
    """
    others = np.setdiff1d(np.arange(maps.shape[-1]), units)
    chance = np.random.default_rng(seed).permutation(others)[: len(units)]
    chosen = maps[..., units]
    active = chosen > thresholds[units]
    levels = np.sum(chosen, axis=(0, 1, 2), where=active)
    levels /= np.maximum(active.sum(axis=(0, 1, 2)), 1)
    changes = {
        "unchanged": (units, chosen),
        "ablated": (units, 0),
        "forced": (units, levels),
        "random ablated": (chance, 0),
    }
    versions = {}
    for name, (numbers, level) in changes.items():
        changed = maps.copy()
        changed[..., numbers] = level
        images = tail.predict(changed, batch_size=100, verbose=0)
        versions[name] = images.astype("float32")
    return versions


def measure(subject, versions, mask):
    """Measure the effects of `switch`.

    Args:
        subject: subject.Subject.
        versions: see `switch`.
        mask: bool (n, h, w), pixels of the concept in the unchanged images.

    Returns:
        dict, version -> dict, name -> float: mean absolute `change` of pixels in [0, 1],
        `inside` and `outside` the mask; `share of` the pixels for each concept of
        `pixel_concepts`; mean `confidence` of the classifier, and the share of images
        `classified as` each class.
    """
    before, found = subject.flat(versions["unchanged"]), {}
    for version, images in versions.items():
        change = np.abs(subject.flat(images) - before).reshape(images.shape).mean(axis=-1)
        numbers = {
            "change inside": change.mean(where=mask) if mask.any() else 0.0,
            "change outside": change.mean(where=~mask) if not mask.all() else 0.0,
        }
        for name, present in pixel_concepts(subject, images).items():
            numbers[f"share of {name}"] = present.mean()
        probabilities = subject.probabilities(images)
        if probabilities is not None:
            numbers["confidence"] = probabilities.max(axis=1).mean()
            predicted = probabilities.argmax(axis=1)
            for i, name in enumerate(subject.classified_as):
                numbers[f"classified as {name}"] = np.mean(predicted == i)
        found[version] = {name: float(number) for name, number in numbers.items()}
    return found
