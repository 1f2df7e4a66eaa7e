"""Match the units of a layer to concepts, and measure the effects of single units."""

import numpy as np
from tqdm import tqdm

from common.exploring.concepts import pixel_concepts
from common.exploring.geometry import count_overlaps, intersection_over_union

N_BATCH = 50  # images in a batch
N_THRESHOLDS = 100  # images for the quantile of activations


def upsample(maps, shape):
    """Resize feature maps bilinearly to the image size, as Bau et al. (2019).

    Args:
        maps: float32 (n, map_h, map_w, units).
        shape: (h, w, c) of an image.

    Returns:
        float32 (n, h, w, units).
    """
    from keras import ops

    return ops.convert_to_numpy(ops.image.resize(maps, shape[:2], "bilinear"))


def activation_thresholds(maps, top, shape):
    """Return the activation above which each unit counts as active: float (units,).

    Args:
        maps: float32 (n, map_h, map_w, units).
        top: fraction of the pixels, in [0, 1], that count as active.
        shape: (h, w, c) of an image.
    """
    return np.quantile(upsample(maps[:N_THRESHOLDS], shape), 1 - top, axis=(0, 1, 2))


def score_units(maps, thresholds, concepts, fixed, seed):
    """Return the IoU of every unit with every concept, and the IoU by chance.

    The IoU by chance is that of the same maps with the concept masks of other images. So
    a unit that is always active in the middle, where strokes are, does not match strokes.
    For a concept with the same mask in all images, it is the expected IoU of a unit that
    is active at as many pixels, but at random positions.

    Args:
        maps: float32 (n, map_h, map_w, units).
        thresholds: float (units,), see `activation_thresholds`.
        concepts: dict, name -> bool (n, h, w).
        fixed: names of the concepts with the same mask in all images.
        seed: seed of the permutation of the images.

    Returns:
        both IoUs, float (units, concepts) in [0, 1].
    """
    shape = next(iter(concepts.values())).shape[1:]
    others = np.random.default_rng(seed).permutation(len(maps))
    counts = np.zeros((2, 3, maps.shape[-1], len(concepts)))  # of the same, other images
    for start in tqdm(range(0, len(maps), N_BATCH), "units", disable=None, leave=False):
        rows = slice(start, start + N_BATCH)
        active = upsample(maps[rows], shape) > thresholds
        active = active.reshape(-1, active.shape[-1])
        for total, images in zip(counts, (rows, others[rows]), strict=True):
            masks = np.stack([mask[images] for mask in concepts.values()], axis=-1)
            total += count_overlaps(active, masks.reshape(-1, masks.shape[-1]))
    by_chance = counts[1]
    is_fixed = [name in fixed for name in concepts]
    _, of_units, of_concepts = by_chance[:, :, is_fixed]
    n_pixels = len(maps) * np.prod(shape)
    by_chance[0][:, is_fixed] = of_units * of_concepts / n_pixels
    return [intersection_over_union(total) for total in counts]


def intervene(tail, maps, units, thresholds, seed):
    """Generate images with some units unchanged, ablated and forced.

    Ablated units are set to zero. Forced units are set, at every pixel, to the mean of
    their activations above the threshold. As many random units are ablated also.

    Args:
        tail: model, activations -> images.
        maps: float32 (n, map_h, map_w, units), activations.
        units: indices of the units.
        thresholds: float (units,), activation above which a unit counts as active.
        seed: seed of the choice of random units.

    Returns:
        dict, name of the intervention -> images float32 (n, h, w, c).
    """
    others = np.setdiff1d(np.arange(maps.shape[-1]), units)
    random_units = np.random.default_rng(seed).permutation(others)[: len(units)]
    chosen = maps[..., units]
    active = chosen > thresholds[units]
    means = np.sum(chosen, axis=(0, 1, 2), where=active)
    means /= np.maximum(active.sum(axis=(0, 1, 2)), 1)
    interventions = {
        "unchanged": (units, chosen),
        "ablated": (units, 0),
        "forced": (units, means),
        "random ablated": (random_units, 0),
    }
    images = {}
    for name, (indices, value) in interventions.items():
        changed = maps.copy()
        changed[..., indices] = value
        images[name] = np.float32(tail.predict(changed, batch_size=100, verbose=0))
    return images


def measure_effects(subject, versions, mask):
    """Measure the effects of interventions.

    Args:
        subject: subject.Subject.
        versions: dict, name of the intervention -> images, see `intervene`.
        mask: bool (n, h, w), pixels of the concept in the unchanged images.

    Returns:
        dict, name of the intervention -> dict, name -> float: mean absolute `change` of
        pixels in [0, 1], `inside` and `outside` the mask; `share of` the pixels that show
        each concept of `pixel_concepts`; mean `confidence` of the classifier, and the
        fraction of images `classified as` each class.
    """
    before, effects = subject.flatten(versions["unchanged"]), {}
    for version, images in versions.items():
        change = np.abs(subject.flatten(images) - before).reshape(images.shape).mean(-1)
        numbers = {
            "change inside": change.mean(where=mask) if mask.any() else 0.0,
            "change outside": change.mean(where=~mask) if not mask.all() else 0.0,
        }
        for name, masks in pixel_concepts(subject, images).items():
            numbers[f"share of {name}"] = masks.mean()
        probabilities = subject.probabilities(images)
        if probabilities is not None:
            numbers["confidence"] = probabilities.max(axis=1).mean()
            predicted = probabilities.argmax(axis=1)
            for i, name in enumerate(subject.real_classes):
                numbers[f"classified as {name}"] = np.mean(predicted == i)
        effects[version] = {name: float(number) for name, number in numbers.items()}
    return effects
