"""Find saved models by path, by name, or by run folder."""

from pathlib import Path

from common.basics.errors import UserError
from common.runs.layout import GENERATOR, OPTIONS, files_of_epochs
from common.runs.record import read_options


def find_model(name):
    """Return the path of a model, or of the newest model of this name under `runs/`.

    Raises:
        UserError: no model has this name.
    """
    path = Path(name).expanduser()
    if path.exists() or len(path.parts) > 1:
        return path
    found = Path("runs").glob(f"*/*/{name}")
    newest = max(found, key=lambda path: path.stat().st_mtime, default=None)
    if newest is None:
        raise UserError(
            f"{name} is neither in this folder nor in a run folder under runs/: run "
            "`python common/generate.py` without options to list the models"
        )
    print(f"using {newest}")
    return newest


def find_models(target):
    """Return the generators of a run folder, or one generator.

    Args:
        target: text, a run folder, or a model, see `find_model`.

    Returns:
        list of Path in the order of their epochs; Path of their run folder, or None.

    Raises:
        UserError: no generator was found.
    """
    path = Path(target).expanduser()
    if path.is_dir():
        read_options(path)
        models = files_of_epochs(path, GENERATOR)
        if not models:
            raise UserError(f"{path} has no generator_model_*.h5 yet: train longer")
        return models, path
    model = find_model(target)
    return [model], model.parent if (model.parent / OPTIONS).exists() else None


def list_models():
    """Print the generators in the run folders under `runs/`.

    Raises:
        UserError: there are none.
    """
    runs = sorted(Path("runs").glob("*/*"))
    models = [model for run in runs for model in files_of_epochs(run, GENERATOR)]
    if not models:
        raise UserError(
            "no MODEL was named and runs/ holds none: train one first, for example with "
            "`python mnist_gan/train.py --preset quick`"
        )
    print("generators in runs/; name one of them:")
    for model in models:
        print(f"  {model}")
