"""The new folder for the results of a command, created atomically."""

from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from common.basics.errors import UserError
from common.basics.files import free_path, new_folders


def result_folder(options, model):
    """Return the path of a new folder for the results.

    It is --run-dir, or `generator_model_010_interpolate` beside the model, with `_2` and
    so on at its end if this exists.

    Args:
        options: Namespace with run_dir and command.
        model: Path of the model file.

    Raises:
        UserError: --run-dir exists and is not an empty folder.
    """
    if options.run_dir is not None:
        folder = Path(options.run_dir).expanduser()
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise UserError(f"--run-dir {folder} is not an empty folder: use a new one")
        return folder
    return free_path(model.with_name(f"{model.stem}_{options.command}"))


@contextmanager
def atomic_folder(folder):
    """Yield a temporary folder that replaces `folder` at the end, or is deleted on error.

    Raises:
        UserError: the folder cannot be created.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(new_folders(folder.parent))
            part = TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent)
        except OSError as error:
            raise UserError(
                f"cannot create {folder}: {error.strerror}; name another folder with "
                "--run-dir"
            ) from None
        path = Path(stack.enter_context(part))
        yield path
        path.chmod(0o755)  # a temporary folder is private
        path.replace(folder)
