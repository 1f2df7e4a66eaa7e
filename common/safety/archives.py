"""Read files of untrusted tar archives, without unpacking more than a limit."""

import tarfile
from pathlib import PurePosixPath

from common.safety.arrays import check_file, format_bytes

MAX_BYTES = 2**28  # of all files, unpacked: CIFAR-10 has 186 million, Inception 97


def read_archive(path, names):
    """Return the contents of the regular files with these names, as a dict.

    Nothing is written to the disk; the folders in the archive are ignored.

    Args:
        path: Path of a tar archive, compressed or not.
        names: file names without folders.

    Raises:
        UserError: the archive is not a regular file, or is too large.
        ValueError: it is not complete, or unpacks to more than MAX_BYTES.
    """
    check_file(path, MAX_BYTES)
    try:
        with path.open("rb") as file, LimitedTarFile.open(fileobj=file) as archive:
            return {
                name: archive.extractfile(member).read()
                for member in archive
                if (name := PurePosixPath(member.name).name) in names
                and member.isfile()
                and not member.issparse()  # it can declare any size
            }
    except tarfile.ReadError:  # its message has ten lines
        raise ValueError("it is not a complete tar archive") from None


class LimitedTarFile(tarfile.TarFile):
    """A tar archive that raises a ValueError if it unpacks to more than MAX_BYTES."""

    def __init__(self, name=None, mode="r", fileobj=None, **keywords):
        super().__init__(name, mode, LimitedReader(fileobj), **keywords)


class LimitedReader:
    """A file that raises a ValueError if more than MAX_BYTES are read."""

    def __init__(self, file):
        self.file, self.tell, self.close = file, file.tell, file.close

    def read(self, size):
        self.check(self.tell() + size)
        return self.file.read(size)

    def seek(self, place):
        self.check(place)
        return self.file.seek(place)

    def check(self, end):
        if end > MAX_BYTES:
            raise ValueError(f"it unpacks to more than {format_bytes(MAX_BYTES)}")
