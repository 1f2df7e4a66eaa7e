"""Find concepts in images: return a mask of the pixels that show each concept."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.basics.errors import UserError
from common.exploring.pictures import read_picture

STROKE_THRESHOLD = 0.5  # a pixel in [0, 1] above it belongs to a stroke
FACE_REGIONS = {  # of aligned CelebA faces: top, bottom, left, right / image size
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
OCCLUDER_SIZE, STRIDE = 8, 4  # of the occluding square, in pixels
EVIDENCE_FRACTION = 0.1  # of the pixels of an image


def box_masks(boxes, shape):
    """Return masks of rectangles: dict, name -> bool (h, w).

    Args:
        boxes: dict, name -> (top, bottom, left, right), fractions of the size in [0, 1].
        shape: (h, w, ...) of an image.
    """
    height, width = shape[:2]
    masks = {}
    for name, (top, bottom, left, right) in boxes.items():
        masks[name] = np.zeros((height, width), bool)
        rows = slice(round(top * height), round(bottom * height))
        masks[name][rows, round(left * width) : round(right * width)] = True
    return masks


def stroke_concepts(pixels):
    """Return masks of strokes, of their orientation and position, and of enclosed holes.

    Args:
        pixels: float (n, h, w, 1) in [0, 1], bright strokes on a dark background.

    Returns:
        dict, name -> bool (n, h, w).
    """
    from scipy.ndimage import binary_fill_holes, gaussian_filter, sobel

    images = pixels[..., 0]
    stroke = images > STROKE_THRESHOLD
    filled = np.stack([binary_fill_holes(mask) for mask in stroke])
    # Smoothed squares of the gradient dx, dy. A stroke is perpendicular to its gradient.
    dy, dx = (gaussian_filter(sobel(images, i) ** 2, (0, 1.5, 1.5)) for i in (1, 2))
    masks = {
        "stroke": stroke,
        "hole": filled & ~stroke,
        "horizontal stroke": stroke & (dy > 2 * dx),
        "vertical stroke": stroke & (dx > 2 * dy),
    }
    thirds = box_masks(THIRDS, pixels.shape[1:])
    return masks | {f"stroke, {name} third": stroke & x for name, x in thirds.items()}


def colour_concepts(pixels):
    """Return masks of brightness and of six hues: dict, name -> bool (n, h, w).

    Args:
        pixels: float (n, h, w, 3), RGB in [0, 1].
    """
    from matplotlib.colors import rgb_to_hsv

    hue, saturation, value = np.moveaxis(rgb_to_hsv(pixels), -1, 0)
    is_coloured = (saturation > 0.25) & (value > 0.2)
    masks = {
        "dark": value < 0.25,
        "bright": (value > 0.75) & (saturation < 0.25),
        "grey": (value >= 0.25) & (value <= 0.75) & (saturation < 0.15),
    }
    for i, name in enumerate(HUES):
        distance = np.abs((hue - i / 6 + 0.5) % 1 - 0.5)
        masks[name] = is_coloured & (distance < 1 / 12)
    return masks


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
    masks = {}
    for file in files:
        picture = read_picture("--masks:", file, "L").resize((shape[1], shape[0]))
        masks[file.stem] = np.asarray(picture) > 127
        if not masks[file.stem].any():
            raise UserError(f"--masks: {file} is black: paint white where {file.stem} is")
    return masks


def occlusion_evidence(subject, images):
    """Return masks of the pixels that the classification depends on, by occlusion.

    A square covers the image at each position of a grid. The evidence of a pixel is the
    mean decrease of the log probability of the predicted class, over the squares that
    cover the pixel: Zeiler & Fergus (2014), "Visualizing and Understanding Convolutional
    Networks", section 4.2.

    Args:
        subject: subject.Subject with a classifier.
        images: float32 (n, h, w, c) in [low, 1].

    Returns:
        dict, "evidence of CLASS" -> bool (n, h, w): in images that are classified as this
        class, the 10% of the pixels with the most evidence; else False.
    """
    n, height, width, n_channels = images.shape
    starts = [range(STRIDE - OCCLUDER_SIZE, side, STRIDE) for side in (height, width)]
    probabilities, rows = subject.probabilities(images), np.arange(n)
    predicted = probabilities.argmax(axis=1)
    log_before = np.log(probabilities[rows, predicted] + 1e-6)
    # The background occludes strokes, the mean colour occludes parts of a photograph.
    occluder = images.mean(axis=(1, 2), keepdims=True) if n_channels == 3 else subject.low
    decreases, counts = np.zeros((n, height, width)), np.zeros((height, width))
    for top in tqdm(starts[0], desc="evidence", disable=None, leave=False):
        for left in starts[1]:
            area = tuple(slice(max(x, 0), x + OCCLUDER_SIZE) for x in (top, left))
            occluded = images.copy()
            occluded[:, *area] = occluder
            after = subject.probabilities(occluded)[rows, predicted]
            decrease = log_before - np.log(after + 1e-6)
            decreases[:, *area] += decrease[:, np.newaxis, np.newaxis]
            counts[area] += 1
    evidence = decreases / counts
    thresholds = np.quantile(evidence, 1 - EVIDENCE_FRACTION, (1, 2), keepdims=True)
    is_evidence = (evidence >= thresholds) & (evidence > 0)
    return {
        f"evidence of {name}": is_evidence & (predicted == i)[:, np.newaxis, np.newaxis]
        for i, name in enumerate(subject.real_classes)
    }


def pixel_concepts(subject, images):
    """Return the concepts that need no classifier: strokes (grey) or colours (RGB).

    Args:
        subject: subject.Subject.
        images: float32 (n, h, w, c) in [low, 1].

    Returns:
        dict, name -> bool (n, h, w).
    """
    concepts_of = stroke_concepts if images.shape[-1] == 1 else colour_concepts
    return concepts_of(subject.to_bytes(images) / np.float32(255))


def fixed_concepts(subject, masks=None):
    """Return the concepts that have the same mask in all images.

    These are the thirds of colour images, the regions of faces for CelebA, and the user's
    masks.

    Args:
        subject: subject.Subject.
        masks: folder of the user's masks, or None.

    Returns:
        dict, name -> bool (h, w).
    """
    boxes = THIRDS if subject.shape[-1] == 3 else {}
    if "celeba" in subject.dataset_name:
        boxes = boxes | FACE_REGIONS
    user_masks = {} if masks is None else read_masks(masks, subject.shape)
    return box_masks(boxes, subject.shape) | user_masks


def find_concepts(subject, images, fixed):
    """Return the masks of all concepts: dict, name -> bool (n, h, w).

    Args:
        subject, images: see `pixel_concepts`.
        fixed: see `fixed_concepts`.
    """
    masks = pixel_concepts(subject, images)
    masks |= {name: np.broadcast_to(x, images.shape[:3]) for name, x in fixed.items()}
    return masks | (occlusion_evidence(subject, images) if subject.real_classes else {})


def concept_names(subject, fixed):
    """Return the names of the concepts of `find_concepts`; no images are needed."""
    blank = np.full((1, *subject.shape), subject.low, "float32")
    evidence = [f"evidence of {name}" for name in subject.real_classes]
    return [*pixel_concepts(subject, blank), *fixed, *evidence]
