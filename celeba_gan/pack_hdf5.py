"""Pack a folder or a .zip of pictures into one HDF5 file, for training."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from celeba_gan.options import add_size_and_crop
from common.basics import cli
from common.data.packing import COMPRESSIONS, base_name, pack


@cli.command
def main(argv=None):
    """Pack the pictures of the source into the target file."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s SOURCE [TARGET.hdf5] [options]"
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a folder or .zip of pictures")
    add("target", nargs="?", metavar="TARGET", help="packed file (./SOURCE_SIZE.hdf5)")
    add_size_and_crop(parser)
    text = "channels of the packed images (3 if a picture is coloured, else 1)"
    add("--channels", type=int, choices=(1, 3), help=text)
    add("--attributes", metavar="FILE", help="labels: CelebA's list_attr_celeba.txt")
    text = "compression of the pixels (none)"
    add("--compression", choices=COMPRESSIONS, default="none", help=text)
    add("--force", action="store_true", help="replace an existing target")
    options = vars(parser.parse_args(argv))
    name = f"{base_name(Path(options['source']))}_{options['size']}.hdf5"
    options["target"] = options["target"] or name
    options["crop"] = options["crop"] or 1.0
    pack(**options)


if __name__ == "__main__":
    main()
