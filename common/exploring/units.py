"""Units of a layer: where they are active, what is there, and what they do."""

import numpy as np
from tqdm import tqdm

from common.exploring.concepts import seen_in
from common.exploring.geometry import intersection_over_union, overlaps

AT_A_TIME = 50  # images
N_THRESHOLDS = 100  # images whose maps say what is high


def enlarge(maps, shape):
    """Maps in an image's size: float32 (n, h, w, units), bilinear, as in the paper."""
    from keras import ops

    large = ops.image.resize(maps, shape[:2], interpolation="bilinear")
    return ops.convert_to_numpy(large)


def thresholds_of(maps, top, shape):
    """Above what is each unit active? float (units,).

    Args:
        maps: float32 (n, small h, small w, units).
        top: share of the pixels of an image's size that count as active.
        shape: (h, w, c) of an image.
    """
    large = enlarge(maps[:N_THRESHOLDS], shape)
    return np.quantile(large, 1 - top, axis=(0, 1, 2))


def score_units(maps, thresholds, concepts, fixed, seed):
    """IoU of every unit with every concept, and what chance gives.

    Chance is what the same maps have in common with the concept in other images: so a
    unit that is always active in the middle, where strokes are, is not one of strokes.
    Where the concept is the same in all images, it is what a unit would have that is as
    often active, anywhere.

    Args:
        maps: float32 (n, small h, small w, units).
        thresholds: float (units,), see `thresholds_of`.
        concepts: dict, name -> bool (n, h, w).
        fixed: names of those that are the same in all images.
        seed: of the order of the other images.

    Returns:
        two arrays float (units, concepts).
    """
    shape = next(iter(concepts.values())).shape[1:]
    others = np.random.default_rng(seed).permutation(len(maps))
    counts = np.zeros((2, 3, maps.shape[-1], len(concepts)))  # here, in other images
    for start in tqdm(range(0, len(maps), AT_A_TIME), "units", disable=None, leave=False):
        rows = slice(start, start + AT_A_TIME)
        active = enlarge(maps[rows], shape) > thresholds
        active = active.reshape(-1, active.shape[-1])
        for found, picks in zip(counts, (rows, others[rows]), strict=True):
            named = np.stack([mask[picks] for mask in concepts.values()], axis=-1)
            found += overlaps(active, named.reshape(-1, named.shape[-1]))
    counts, by_chance = counts
    is_fixed = [name in fixed for name in concepts]
    _, of_units, of_concepts = by_chance[:, :, is_fixed]
    n_pixels = len(maps) * np.prod(shape)
    by_chance[0][:, is_fixed] = of_units * of_concepts / n_pixels
    return intersection_over_union(counts), intersection_over_union(by_chance)


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
    chosen = maps[..., units]
    active = chosen > thresholds[units]
    levels = np.sum(chosen, axis=(0, 1, 2), where=active)
    levels /= np.maximum(active.sum(axis=(0, 1, 2)), 1)
    changes = {
        "as drawn": (units, chosen),
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
    """What switching did.

    Args:
        subject: subject.Subject.
        versions: dict, name -> images, of `switch`.
        mask: bool (n, h, w), where the concept is in them.

    Returns:
        dict, version -> dict, what is measured -> number: the mean `change` of grey
        levels (0 to 1) `inside` the mask and `outside`; of all that can be seen in an
        image, its `share of` the pixels; the `confidence` of the classifier, and the
        share of images `read as` each class.
    """
    before, found = subject.flat(versions["as drawn"]), {}
    for version, images in versions.items():
        change = np.abs(subject.flat(images) - before).reshape(images.shape).mean(axis=-1)
        numbers = {
            "change inside": change.mean(where=mask) if mask.any() else 0.0,
            "change outside": change.mean(where=~mask) if not mask.all() else 0.0,
        }
        for name, seen in seen_in(subject, images).items():
            numbers[f"share of {name}"] = seen.mean()
        probabilities = subject.probabilities(images)
        if probabilities is not None:
            numbers["confidence"] = probabilities.max(axis=1).mean()
            read = probabilities.argmax(axis=1)
            for i, name in enumerate(subject.classified_as):
                numbers[f"read as {name}"] = np.mean(read == i)
        found[version] = {name: float(number) for name, number in numbers.items()}
    return found
