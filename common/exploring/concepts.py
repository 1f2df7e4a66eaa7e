"""Find concepts in images: for each one a mask of the pixels where it is present."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.basics.errors import UserError
from common.exploring.pictures import read_picture

INK = 0.5  # grey level above which a pixel belongs to a stroke
FACES = {  # top, bottom, left, right as shares, in aligned CelebA faces
    "hair": (0.0, 0.13, 0.1, 0.9),
    "forehead": (0.16, 0.4, 0.28, 0.72),
    "eyes": (0.43, 0.58, 0.22, 0.78),
    "nose": (0.56, 0.76, 0.4, 0.6),
    "mouth": (0.8, 0.93, 0.33, 0.68),
}
THIRDS = {
    "top": (0, 1 / 3, 0, 1),
    "bottom": (2 / 3, 1, 0, 1),
    "left": (0, 1, 0, 1 / 3),
    "right": (0, 1, 2 / 3, 1),
}
HUES = ("red", "yellow", "green", "cyan", "blue", "pink")  # hue 0, 1/6, 2/6, ...
PATCH, STRIDE = 8, 4  # pixels: size and step of the occluding square
EVIDENCE = 0.1  # share of the pixels of an image that count as evidence


def box_masks(areas, shape):
    """Return masks of rectangles: dict, name -> bool (h, w).

    Args:
        areas: dict, name -> (top, bottom, left, right), shares of the size in [0, 1].
        shape: (h, w, ...) of an image.
    """
    height, width = shape[:2]
    masks = {}
    for name, (top, bottom, left, right) in areas.items():
        masks[name] = np.zeros((height, width), bool)
        rows = slice(round(top * height), round(bottom * height))
        masks[name][rows, round(left * width) : round(right * width)] = True
    return masks


def stroke_concepts(shares):
    """Return masks of strokes, of their orientation and position, and of enclosed holes.

    Args:
        shares: float (n, h, w, 1) in [0, 1], bright strokes on a dark background.

    Returns:
        dict, name -> bool (n, h, w).
    """
    from scipy.ndimage import binary_fill_holes, gaussian_filter, sobel

    ink = shares[..., 0]
    stroke = ink > INK
    filled = np.stack([binary_fill_holes(image) for image in stroke])
    # A stroke runs at a right angle to the direction in which its grey levels change.
    up, sideways = (gaussian_filter(sobel(ink, i) ** 2, (0, 1.5, 1.5)) for i in (1, 2))
    found = {
        "stroke": stroke,
        "hole": filled & ~stroke,
        "level stroke": stroke & (up > 2 * sideways),
        "upright stroke": stroke & (sideways > 2 * up),
    }
    for name, area in box_masks(THIRDS, shares.shape[1:]).items():
        found[f"stroke, {name} third"] = stroke & area
    return found


def colour_concepts(shares):
    """Return masks of brightness and of six hues: dict, name -> bool (n, h, w).

    Args:
        shares: float (n, h, w, 3), RGB in [0, 1].
    """
    from matplotlib.colors import rgb_to_hsv

    hue, saturation, value = np.moveaxis(rgb_to_hsv(shares), -1, 0)
    is_coloured = (saturation > 0.25) & (value > 0.2)
    found = {
        "dark": value < 0.25,
        "bright": (value > 0.75) & (saturation < 0.25),
        "grey": (value >= 0.25) & (value <= 0.75) & (saturation < 0.15),
    }
    for i, name in enumerate(HUES):
        distance = np.abs((hue - i / 6 + 0.5) % 1 - 0.5)
        found[name] = is_coloured & (distance < 1 / 12)
    return found


def read_masks(folder, shape):
    """Return the user's masks: dict, name -> bool (h, w), true where a pixel is white.

    Args:
        folder: folder of PNG files; the file name is the name of the concept.
        shape: (h, w, c) of the images; masks of other sizes are resized.

    Raises:
        UserError: the folder has no PNG file, or a mask is black or not a picture.
    """
    files = sorted(Path(folder).expanduser().glob("*.png"))
    if not files:
        raise UserError(f"--masks {folder}: no .png files in it; add NAME.png")
    found = {}
    for file in files:
        mask = read_picture("--masks:", file, "L").resize((shape[1], shape[0]))
        found[file.stem] = np.asarray(mask) > 127
        if not found[file.stem].any():
            raise UserError(f"--masks: {file} is black: paint white where {file.stem} is")
    return found


def evidence_of_classes(subject, images):
    """Return masks of the pixels that the classification depends on, by occlusion.

    A square is occluded at each position of a grid. The evidence of a pixel is the mean
    decrease of the log probability of the predicted class, over the squares that contain
    the pixel: Zeiler & Fergus (2014), "Visualizing and Understanding Convolutional
    Networks", section 4.2.

    Args:
        subject: subject.Subject with a classifier.
        images: float32 (n, h, w, c) in [low, 1].

    Returns:
        dict, "evidence of ..." -> bool (n, h, w): for an image that is classified as this
        class, the 10% of its pixels with the most evidence.
    """
    n, height, width, n_channels = images.shape
    starts = [range(STRIDE - PATCH, side, STRIDE) for side in (height, width)]
    before = subject.probabilities(images)
    rows, predicted = np.arange(n), before.argmax(axis=1)
    # The background hides strokes, the mean colour hides parts of a photograph.
    occluder = images.mean(axis=(1, 2), keepdims=True) if n_channels == 3 else subject.low
    losses, times = np.zeros((n, height, width)), np.zeros((height, width))
    for top in tqdm(starts[0], desc="evidence", disable=None, leave=False):
        for left in starts[1]:
            area = tuple(slice(max(x, 0), x + PATCH) for x in (top, left))
            hidden = images.copy()
            hidden[:, *area] = occluder
            after = subject.probabilities(hidden)[rows, predicted]
            loss = np.log(before[rows, predicted] + 1e-6) - np.log(after + 1e-6)
            losses[:, *area] += loss[:, np.newaxis, np.newaxis]
            times[area] += 1
    losses /= times
    bounds = np.quantile(losses, 1 - EVIDENCE, axis=(1, 2), keepdims=True)
    is_evidence = (losses >= bounds) & (losses > 0)
    return {
        f"evidence of {name}": is_evidence & (predicted == i)[:, np.newaxis, np.newaxis]
        for i, name in enumerate(subject.classified_as)
    }


def pixel_concepts(subject, images):
    """Return the concepts that need no classifier: strokes (grey) or colours (RGB).

    Args:
        subject: subject.Subject.
        images: float32 (n, h, w, c) in [low, 1].

    Returns:
        dict, name -> bool (n, h, w).
    """
    shares = subject.to_bytes(images) / np.float32(255)
    return (stroke_concepts if images.shape[-1] == 1 else colour_concepts)(shares)


def fixed_concepts(subject, masks=None):
    """Return the concepts that have the same mask in all images.

    These are the thirds of colour images, the regions of `FACES` for CelebA, and the
    user's masks.

    Args:
        subject: subject.Subject.
        masks: folder of the user's masks, or None.

    Returns:
        dict, name -> bool (h, w).
    """
    areas = THIRDS if subject.shape[-1] == 3 else {}
    if "celeba" in subject.trained_on:
        areas = areas | FACES
    own = {} if masks is None else read_masks(masks, subject.shape)
    return box_masks(areas, subject.shape) | own


def find_concepts(subject, images, fixed):
    """Return the masks of all concepts: dict, name -> bool (n, h, w).

    Args:
        subject, images: see `pixel_concepts`.
        fixed: see `fixed_concepts`.
    """
    found = pixel_concepts(subject, images)
    found |= {name: np.broadcast_to(x, images.shape[:3]) for name, x in fixed.items()}
    return found | (evidence_of_classes(subject, images) if subject.classified_as else {})


def concept_names(subject, fixed):
    """Return the names of the concepts of `find_concepts`, which needs no images."""
    nothing = np.full((1, *subject.shape), subject.low, "float32")
    evidence = [f"evidence of {name}" for name in subject.classified_as]
    return [*pixel_concepts(subject, nothing), *fixed, *evidence]
