"""Define the options that only the scripts of this folder have."""

from common.basics.cli import fraction
from common.options.table import Option

SIZE = Option("size", "height and width of an image", 64, int, "N", (32, 64, 128))
CROP = Option(
    "crop",
    "crop to the central square of this fraction of the shorter side",
    type=fraction,
    metavar="SHARE",
    default_text="1.0; CelebA 0.72",
)
ATTRIBUTE = Option(
    "attribute",
    "with --conditional: the CelebA attribute that is the class",
    metavar="NAME",
)


def add_size(parser):
    """Add `--size` to a parser, for the scripts that load no images."""
    SIZE.add_to(parser, default=SIZE.default)


def add_size_and_crop(parser):
    """Add `--size` and `--crop` to a parser, for the scripts that load images."""
    add_size(parser)
    CROP.add_to(parser)
