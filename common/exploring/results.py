"""The new folder of a study's results, which is there as a whole or not at all."""

from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from common.basics.errors import UserError
from common.basics.files import free_path, new_folders


def result_folder(options, model):
    """Return `--run-dir`, or `generator_model_010_interpolate` beside the model, or `_2`.

    Raises:
        UserError: nothing can be written there.
    """
    if options.run_dir is not None:
        folder = Path(options.run_dir).expanduser()
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise UserError(f"--run-dir {folder} is not an empty folder: name a new one")
        return folder
    return free_path(model.with_name(f"{model.stem}_{options.command}"))


@contextmanager
def made_as_a_whole(folder):
    """Give a folder to write into, which becomes this one at the end, or vanishes."""
    with ExitStack() as stack:
        try:
            stack.enter_context(new_folders(folder.parent))
            part = TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent)
        except OSError as error:
            raise UserError(
                f"cannot make {folder}: {error.strerror}; name another folder by "
                "--run-dir"
            ) from None
        path = Path(stack.enter_context(part))
        yield path
        path.chmod(0o755)  # until now it is for its owner alone
        path.replace(folder)
