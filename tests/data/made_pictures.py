"""Pictures that the tests of packing make, and what becomes of them."""

import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from common.data.packed import open_packed
from common.data.packing import pack

RNG = np.random.default_rng(0)


def noise(height=40, width=40, channels=3):
    pixels = RNG.integers(0, 256, (height, width, channels)).astype(np.uint8)
    return Image.fromarray(pixels if channels > 1 else pixels[..., 0])


def save(path, image=None, **keywords):
    """Save a picture (of noise), with the folders that it needs, and return its path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    (image or noise()).save(path, **keywords)
    return path


def packed_pixels(*args, **keywords):
    """Pack into a new file and return the pixels."""
    target = Path("new.hdf5")
    target.unlink(missing_ok=True)
    return open_packed(pack(*args, target=target, **keywords)).pixels


def pixels_of(image, name="one.png", **keywords):
    """The pixels (size, size, c) of one picture after saving and packing it."""
    path = save(Path("single") / name, image, **keywords)
    pixels = packed_pixels("single", size=32)
    path.unlink()
    return pixels[0]


def zip_folder(folder, path, prefix=""):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in Path(folder).rglob("*"):
            archive.write(file, prefix + file.relative_to(folder).as_posix())
    return Path(path)
