"""The options that only the scripts of this folder have."""

from common.basics import cli

SIZES = (32, 64, 128)


def add_size(parser, default=64):
    """Add `--size`, for the scripts that need no images."""
    text = "height and width of an image: 32, 64 or 128 (64)"
    parser.add_argument(
        "--size", type=int, choices=SIZES, default=default, help=text, metavar="N"
    )


def add_size_and_crop(parser, default=64):
    """Add `--size` and `--crop`, for the scripts that read images."""
    add_size(parser, default)
    text = "share of the shorter side that is kept (1.0; CelebA 0.72)"
    parser.add_argument("--crop", type=cli.share, help=text, metavar="SHARE")
