"""Look inside a generator: walk its latent space, name its units, switch them off."""

import argparse
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.basics.errors import UserError
from common.exploring import (
    arithmetic,
    dissect,
    diversity,
    interpolate,
    project,
    traverse,
    truncation,
)
from common.runs.models import find_model

COMMANDS = {
    "interpolate": interpolate,
    "arithmetic": arithmetic,
    "traverse": traverse,
    "truncation": truncation,
    "dissect": dissect,
    "project": project,
    "diversity": diversity,
}


def parse(argv):
    from common.data.sources import DATA

    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s COMMAND [options] MODEL"
    commands = parser.add_subparsers(
        metavar="COMMAND", dest="command", prog=parser.prog, parser_class=cli.Parser
    )
    for name, module in COMMANDS.items():
        title = module.__doc__.splitlines()[0]
        command = commands.add_parser(name, doc=module.__doc__, help=title)
        command.description = module.__doc__
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        command.usage = f"%(prog)s [options] MODEL{' IMAGE' * (name == 'project')}"
        add = command.add_argument
        add("model", metavar="MODEL", help="an .h5 or .keras file of a generator")
        module.add_options(command)
        if name != "interpolate":  # which takes a class for each point
            add("--label", metavar="CLASS", help="of a G of classes: this one alone")
        text = "its real images, or a path (those that the file names)"
        add("--data", type=cli.data_source(DATA), metavar="DATA", help=text)
        add("--seed", type=cli.seed_number, default=0, help="repeats the outcome (0)")
        text = "a new folder for the results (beside the model)"
        add("--run-dir", metavar="DIR", help=text)
    options = parser.parse_args(argv)
    if options.command is None:
        raise UserError(f"name a command: {', '.join(COMMANDS)} (see --help)")
    return options


def result_folder(options, model):
    """`--run-dir`, or `generator_model_010_interpolate` beside the model, or `.._2`, ...

    Raises:
        UserError: nothing can be written there.
    """
    if options.run_dir is not None:
        folder = Path(options.run_dir).expanduser()
        if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
            raise UserError(f"--run-dir {folder} is not an empty folder: name a new one")
        return folder
    name, number = f"{model.stem}_{options.command}", 1
    while (folder := model.with_name(f"{name}{f'_{number}' * (number > 1)}")).exists():
        number += 1
    return folder


@contextmanager
def made_as_a_whole(folder):
    """A folder to write into, which becomes this one at the end, or vanishes."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise UserError(
            f"cannot make {folder}: {error.strerror}; name another folder by --run-dir"
        ) from None
    try:
        yield part
        part.chmod(0o755)  # mkdtemp's is for its owner alone
        part.replace(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


@cli.command
def main(argv=None):
    """Load the generator, do what was asked, say where the pictures are."""
    options = parse(argv)
    path = find_model(options.model)
    folder = result_folder(options, path)
    from common.devices import set_up
    from common.exploring.subject import Subject

    set_up()
    subject, module = Subject(path, options.data), COMMANDS[options.command]
    module.check(subject, options)
    with made_as_a_whole(folder) as part:
        module.run(subject, options, part)
    print(f"saved {', '.join(sorted(x.name for x in folder.iterdir()))} in {folder}")


if __name__ == "__main__":
    main()
