"""Create the folder for the results of a command, atomically."""

from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from common.basics.errors import UserError
from common.basics.files import new_folders, new_path


def result_folder(options, model):
    """Return the path of a new folder for the results.

    It is --run-dir, or `generator_model_010_interpolate` beside the model; if this
    exists, `generator_model_010_interpolate_2` and so on.

    Args:
        options: Namespace with run_dir and command.
        model: Path of the model file.

    Raises:
        UserError: --run-dir exists and is not an empty folder.
    """
    if options.run_dir is not None:
        folder = Path(options.run_dir).expanduser()
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise UserError(f"--run-dir {folder} is not an empty folder: use a new one")
        return folder
    return new_path(model.with_name(f"{model.stem}_{options.command}"))


@contextmanager
def atomic_folder(folder):
    """Yield a temporary folder that replaces `folder` at the end, or is deleted on error.

    Raises:
        UserError: the folder cannot be created.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(new_folders(folder.parent))
            temporary = TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent)
        except OSError as error:
            raise UserError(
                f"cannot create {folder}: {error.strerror}; name another folder with "
                "--run-dir"
            ) from None
        path = Path(stack.enter_context(temporary))
        yield path
        path.chmod(0o755)  # other users cannot read a temporary folder
        path.replace(folder)
