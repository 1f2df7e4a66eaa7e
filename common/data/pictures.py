"""Read pictures of any size and format, in a folder or a .zip, as square images."""

import fnmatch
import io
import math
import os
import re
import zipfile
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path, PurePosixPath

import numpy as np

from common.basics.errors import UserError
from common.safety.arrays import check_file
from common.safety.images import MAX_BYTES, open_image

MAX_UNPACKED_BYTES, MAX_RATIO = 2**30, 200  # a zip that exceeds both is a bomb
MAX_DEPTH = 100  # of nested folders
DRAFT_FACTOR = 3  # decode a JPEG at a reduced size, at least 3 times the target size
IGNORED = ("*/.*", "*/__MACOSX/*", "*/Thumbs.db", "*/desktop.ini", "*/runs/*_gan/*",
        "*.hdf5", "*.part")  # fmt: skip
IGNORED_PATTERN = re.compile("|".join(map(fnmatch.translate, IGNORED)))
WEB_PAGE = (
    "{} is a web page, not a zip: Google Drive sends one if a file was downloaded too "
    "often; download img_align_celeba.zip (1.4 GB) again in a browser from "
    "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"
)


@contextmanager
def open_source(path):
    """Open a folder as Folder, or a .zip as Zip; both have `names` and `read`.

    Raises:
        UserError: it does not exist, is not a folder or zip, or contains no files.
    """
    path = Path(path)
    with ExitStack() as stack:
        if path.is_dir():
            source = Folder(path)
        elif path.exists():
            source = Zip(stack.enter_context(open_zip(path)), path)
        else:
            raise UserError(f"{path}: there is no such folder or file; check the path")
        if not source.names:
            raise UserError(f"{path} contains no files: add pictures to it")
        yield source


def open_zip(path):
    """Return a zipfile.ZipFile; raise a UserError if it is none, or incomplete."""
    check_file(path, max_bytes=math.inf)
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        reason = error
    with path.open("rb") as file:
        start = file.read(512).lower()
    if b"<html" in start or b"<!doctype html" in start:
        raise UserError(WEB_PAGE.format(path))
    if start.startswith(b"pk"):
        raise UserError(f"{path} is an incomplete zip: download or copy it again")
    raise UserError(f"{path} is neither a folder nor a zip ({reason}): use one of these")


class Folder:
    """The files in a folder and its subfolders.

    Links to folders are followed; each folder is read once.

    Attributes:
        names: list of the paths relative to the folder, sorted.

    Raises:
        UserError: folders are nested more than MAX_DEPTH levels.
    """

    def __init__(self, path):
        self.path = path
        names, visited = [], {path.resolve()}
        for folder, folders, files in os.walk(path, followlinks=True):
            if len(Path(folder).parts) > len(path.parts) + MAX_DEPTH:
                raise UserError(f"{path} nests folders over {MAX_DEPTH} deep: nest fewer")
            folders.sort(reverse=True)  # so that the first of two links remains
            targets = {Path(folder, name).resolve(): name for name in folders}
            folders[:] = [name for x, name in targets.items() if x not in visited]
            visited.update(targets)
            names += [Path(folder, name).relative_to(path) for name in files]
        found = (p for p in names if not is_ignored(p) and (path / p).is_file())
        self.names = sorted(p.as_posix() for p in found)

    def size_and_version(self, name):
        """Return the size in bytes and the modification time in ns of a file."""
        status = (self.path / name).stat()
        return status.st_size, status.st_mtime_ns

    def read(self, name):
        """Return the content of a file, as bytes."""
        check_length(self, name)
        return (self.path / name).read_bytes()


class Zip:
    """The files in a zip, see Folder; they are unpacked in memory only.

    Raises:
        UserError: see `check_zip`.
    """

    def __init__(self, archive, path):
        self.archive = archive
        infos = {i.filename: i for i in archive.infolist() if not i.is_dir()}
        check_zip(path, infos)
        self.names = sorted(n for n in infos if not is_ignored(PurePosixPath(n)))

    def size_and_version(self, name):
        """Return the size in bytes and the CRC-32 of a file."""
        info = self.archive.getinfo(name)
        return info.file_size, info.CRC

    def read(self, name):
        """Return the content of a file, as bytes."""
        check_length(self, name)
        return self.archive.read(name)


def check_zip(path, infos):
    """Raise a UserError if a zip has paths outside of it, or is a decompression bomb.

    Args:
        path: Path of the zip.
        infos: dict, name -> zipfile.ZipInfo.
    """
    for name in infos:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise UserError(
                f"{path} contains {printable(name)!r}, a path outside of the zip: zip "
                "the folder of pictures again"
            )
    unpacked, packed = sum(x.file_size for x in infos.values()), path.stat().st_size
    if unpacked > max(MAX_UNPACKED_BYTES, MAX_RATIO * packed):
        raise UserError(
            f"{path} has {packed} bytes and unpacks to {unpacked}, more than {MAX_RATIO} "
            "times as many, like a decompression bomb: use a zip of pictures"
        )


def check_length(source, name):
    """Raise a ValueError if a file of a Folder or Zip is too large for a picture."""
    length, _ = source.size_and_version(name)
    if length > MAX_BYTES:
        raise ValueError(f"it has {length} bytes, more than the limit of {MAX_BYTES}")


def is_ignored(path):
    """Return whether a file is no source picture: of the system, or of this project."""
    return IGNORED_PATTERN.match(f"/{path}") is not None


def read_square(source, name, size, crop=1.0, channels=3):
    """Read a picture, crop it to a square at its centre, and resize it (Lanczos).

    Args:
        source: Folder or Zip.
        name: one of its names.
        size: height and width of the result.
        crop: side of the square, as a fraction of the shorter side, in (0, 1].
        channels: 3, or 1 for grey.

    Returns:
        uint8 (size, size, channels).

    Raises:
        Exception: of many kinds, if the file is not a picture or is damaged.
    """
    from PIL import Image, ImageOps

    with open_image(io.BytesIO(source.read(name))) as image:
        min_size = round(DRAFT_FACTOR * size / crop)
        image.draft(image.mode, (min_size, min_size))
        image.load()
        with suppress(Exception):  # without its EXIF record the picture is usable
            ImageOps.exif_transpose(image, in_place=True)
        image = on_white(image)
        side = max(1, round(crop * min(image.size)))
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box = (left, top, left + side, top + side)
        image = image.convert("L" if channels == 1 else "RGB")
        image = image.resize((size, size), Image.Resampling.LANCZOS, box=box)
    return np.asarray(image).reshape(size, size, channels)


def try_to_read(source, size, crop, channels, name):
    """Return a picture, uint8 (size, size, 1 or 3), or the error message, a str.

    Args:
        source, size, crop, name: see `read_square`.
        channels: 1, 3, or None: 1 if the picture is grey, else 3.
    """
    from PIL import UnidentifiedImageError

    try:
        pixels = read_square(source, name, size, crop, channels or 3)
    except UnidentifiedImageError:
        return "not a picture"
    except Exception as error:  # Pillow and zipfile raise a dozen kinds
        return " ".join(str(error).split()).rstrip(".") or type(error).__name__
    is_grey = channels is None and (pixels == pixels[..., :1]).all()
    return pixels[..., :1] if is_grey else pixels


def on_white(image):
    """Return a PIL image with 8 bits per channel, transparent pixels made white."""
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        grey = np.asarray(image)
        if image.mode == "F" or grey.min() < 0 or grey.max() > 65535:
            raise ValueError("it has neither 8 nor 16 bits per channel")
        return Image.fromarray(np.round(grey / 257).astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image


def classes_by_subfolder(names):
    """Return the class of each file: its subfolder below their common folder.

    Args:
        names: list of n paths, such as "cats/1.jpg", whose class is "cats".

    Returns:
        list of n class names, or None if all files are in the same folder.
    """
    folders = [PurePosixPath(name).parts[:-1] for name in names]
    for depth in range(min(map(len, folders))):
        found = [folder[depth] for folder in folders]
        if len(set(found)) > 1:
            return found
    return None


def printable(path):
    """Return a path as a str, with bytes that are not UTF-8 escaped."""
    return str(path).encode("utf-8", "backslashreplace").decode()
