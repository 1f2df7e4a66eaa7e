"""What can be named in an image, pixel by pixel: a mask for each concept."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from common.basics.errors import UserError
from common.exploring.pictures import read_picture

INK = 0.5  # grey level above which a pixel of a drawing is stroke
FACES = {  # in CelebA's aligned faces as they are cut here: top, bottom, left, right
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
HUES = ("red", "yellow", "green", "cyan", "blue", "pink")  # from 0 in steps of a sixth
PATCH, STRIDE = 8, 4  # pixels that are hidden from the classifier at a time
EVIDENCE = 0.1  # share of the pixels of an image that count as evidence


def boxes(areas, shape):
    """Masks of areas that are the same in each image: dict, name -> bool (h, w)."""
    height, width = shape[:2]
    masks = {}
    for name, (top, bottom, left, right) in areas.items():
        masks[name] = np.zeros((height, width), bool)
        rows = slice(round(top * height), round(bottom * height))
        masks[name][rows, round(left * width) : round(right * width)] = True
    return masks


def of_drawings(shares):
    """Stroke, hole, and strokes by where they lead and where they are.

    Args:
        shares: float (n, h, w, 1) in [0, 1], strokes bright.
    """
    from scipy.ndimage import binary_fill_holes, gaussian_filter, sobel

    ink = shares[..., 0]
    stroke = ink > INK
    filled = np.stack([binary_fill_holes(image) for image in stroke])
    # Grey levels change across a stroke: how much, around each pixel, up and sideways?
    up, sideways = (gaussian_filter(sobel(ink, i) ** 2, (0, 1.5, 1.5)) for i in (1, 2))
    found = {
        "stroke": stroke,
        "hole": filled & ~stroke,
        "level stroke": stroke & (up > 2 * sideways),
        "upright stroke": stroke & (sideways > 2 * up),
    }
    for name, area in boxes(THIRDS, shares.shape[1:]).items():
        found[f"stroke, {name} third"] = stroke & area
    return found


def of_colours(shares):
    """Light and colours: float (n, h, w, 3) in [0, 1]."""
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


def of_masks(folder, shape):
    """The user's masks: dict, name -> bool (h, w), white is where the concept is.

    Args:
        folder: of PNG files, named after their concepts.
        shape: (h, w, c) of the images; masks of other sizes are scaled.

    Raises:
        UserError: there are none, or one is empty or no picture.
    """
    files = sorted(Path(folder).expanduser().glob("*.png"))
    if not files:
        raise UserError(f"--masks {folder}: there are no .png files in it")
    found = {}
    for file in files:
        mask = read_picture("--masks:", file, "L").resize((shape[1], shape[0]))
        found[file.stem] = np.asarray(mask) > 127
        if not found[file.stem].any():
            raise UserError(f"--masks: {file} is black: paint white where {file.stem} is")
    return found


def of_classes(subject, images):
    """Where the evidence of each class is: what the classifier must not lose.

    Zeiler & Fergus (2014), "Visualizing and Understanding Convolutional Networks",
    section 4.2: part after part of an image is hidden; a pixel's evidence is how much the
    log probability of the class that is read falls, in the mean over the parts with it.

    Args:
        subject: subject.Subject whose images can be read.
        images: float32 (n, h, w, c) in [low, 1].

    Returns:
        dict, "evidence of ..." -> bool (n, h, w): the tenth of the pixels of an image
        with the most evidence, if it is read as this class.
    """
    n, height, width, n_channels = images.shape
    starts = [range(STRIDE - PATCH, side, STRIDE) for side in (height, width)]
    before = subject.probabilities(images)
    rows, read = np.arange(n), before.argmax(axis=1)
    # Paper is what hides a drawing's strokes; a photograph has its own mean colour.
    hides = images.mean(axis=(1, 2), keepdims=True) if n_channels == 3 else subject.low
    losses, times = np.zeros((n, height, width)), np.zeros((height, width))
    for top in tqdm(starts[0], desc="evidence", disable=None, leave=False):
        for left in starts[1]:
            area = tuple(slice(max(x, 0), x + PATCH) for x in (top, left))
            hidden = images.copy()
            hidden[:, *area] = hides
            after = subject.probabilities(hidden)[rows, read]
            loss = np.log(before[rows, read] + 1e-6) - np.log(after + 1e-6)
            losses[:, *area] += loss[:, np.newaxis, np.newaxis]
            times[area] += 1
    losses /= times
    bounds = np.quantile(losses, 1 - EVIDENCE, axis=(1, 2), keepdims=True)
    is_evidence = (losses >= bounds) & (losses > 0)
    return {
        f"evidence of {name}": is_evidence & (read == i)[:, np.newaxis, np.newaxis]
        for i, name in enumerate(subject.classified_as)
    }


def seen_in(subject, images):
    """What can be named without a classifier, and differs from image to image.

    Args:
        subject: subject.Subject.
        images: float32 (n, h, w, c) in [low, 1].

    Returns:
        dict, name -> bool (n, h, w).
    """
    shares = subject.to_bytes(images) / np.float32(255)
    return of_drawings(shares) if images.shape[-1] == 1 else of_colours(shares)


def areas_of(subject, masks=None):
    """Areas that are the same in all images: dict, name -> bool (h, w).

    Thirds of photographs, what `FACES` names of CelebA's faces, and the user's.

    Args:
        subject: subject.Subject.
        masks: folder of the user's masks.
    """
    areas = THIRDS if subject.shape[-1] == 3 else {}
    if "celeba" in subject.trained_on:
        areas = areas | FACES
    own = {} if masks is None else of_masks(masks, subject.shape)
    return boxes(areas, subject.shape) | own


def find_concepts(subject, images, areas):
    """All that can be named: dict, name -> bool (n, h, w).

    Args:
        subject, images: see `seen_in`.
        areas: see `areas_of`.
    """
    found = seen_in(subject, images)
    found |= {name: np.broadcast_to(x, images.shape[:3]) for name, x in areas.items()}
    return found | (of_classes(subject, images) if subject.classified_as else {})


def names_of(subject, areas):
    """The names of what `find_concepts` finds, before anything is drawn."""
    nothing = np.full((1, *subject.shape), subject.low, "float32")
    evidence = [f"evidence of {name}" for name in subject.classified_as]
    return [*seen_in(subject, nothing), *areas, *evidence]
