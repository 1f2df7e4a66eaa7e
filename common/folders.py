"""Folders that are made for a result, and vanish again where there comes none."""

from contextlib import contextmanager, suppress


def make_folders(folder):
    """Make a folder, and those above it that are missing.

    Returns:
        list of those that are new, the innermost first.

    Raises:
        OSError: it cannot be made; then none is left.
    """
    new = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        remove_empty(new)
        raise
    return new


def remove_empty(folders):
    """Remove those of these folders that are empty, the innermost first."""
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()


@contextmanager
def gone_if_in_vain(new):
    """Inside, remove these new folders if an error comes and they are empty."""
    try:
        yield
    except BaseException:
        remove_empty(new)
        raise
