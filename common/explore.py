"""Explore a generator: its latent space, directions, units, inversion and diversity."""

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from common.basics import cli
from common.basics.errors import UserError
from common.data.sources import DATA
from common.devices import set_up
from common.exploring import (
    arithmetic,
    dissect,
    diversity,
    interpolate,
    project,
    traverse,
    truncation,
)
from common.exploring.results import atomic_folder, result_folder
from common.exploring.subject import Subject
from common.runs.models import find_model

MODULES = (interpolate, arithmetic, traverse, truncation, dissect, project, diversity)
COMMANDS = {module.__name__.split(".")[-1]: module for module in MODULES}


def parse(argv):
    """Return the options of the command line, a Namespace; `command` is in COMMANDS."""
    parser = cli.Parser(__doc__)
    parser.usage = "%(prog)s COMMAND [options] MODEL"
    commands = parser.add_subparsers(
        metavar="COMMAND", dest="command", prog=parser.prog, parser_class=cli.Parser
    )
    for name, module in COMMANDS.items():
        doc = module.__doc__
        command = commands.add_parser(name, doc=doc, help=doc.splitlines()[0])
        command.description = doc
        command.usage = f"%(prog)s [options] MODEL{' IMAGE' * (name == 'project')}"
        command.set_defaults(label=None)
        add = command.add_argument
        add("model", metavar="MODEL", help="an .h5 or .keras file of a generator")
        module.add_options(command)
        if name != "interpolate":  # which has --labels
            add("--label", metavar="CLASS", help="class of all images (conditional G)")
        text = "real images: a name or a path (default: as the model file records)"
        add("--data", type=cli.data_source(DATA), metavar="DATA", help=text)
        add("--seed", type=cli.seed_number, default=0, help="random seed (0)")
        cli.add_range(command)
        text = "new folder for the results (default: beside the model)"
        add("--run-dir", metavar="DIR", help=text)
    options = parser.parse_args(argv)
    if options.command is None:
        raise UserError(f"no COMMAND: choose one of {', '.join(COMMANDS)} (see --help)")
    return options


@cli.command
def main(argv=None):
    """Load the generator, run the command, and print the folder of the results."""
    options = parse(argv)
    path = find_model(options.model)
    folder = result_folder(options, path)
    set_up()
    subject = Subject(path, options.data, options.range)
    subject.labels(1, options.label)  # raises for an unknown class before any work
    with atomic_folder(folder) as temporary:
        COMMANDS[options.command].run(subject, options, temporary)
    print(f"saved {', '.join(sorted(x.name for x in folder.iterdir()))} in {folder}")


if __name__ == "__main__":
    main()
