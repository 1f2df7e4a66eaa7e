"""Parse command lines, and print errors as one line.

Nothing here imports Keras, so `--help` and a wrong option take 0.2 s.
"""

import argparse
import atexit
import functools
import gc
import io
import os
import re
import signal
import sys
from pathlib import Path

from common.basics.errors import UserError, error_message, exit_code
from common.basics.signals import raised_signals

# At exit Python would collect garbage in all graphs that TensorFlow traced. After 200
# pictures this takes 30 s, which is too long for SIGTERM.
atexit.register(gc.freeze)


def command(main):
    """Decorate a script's `main(argv)`: exit codes and one-line error messages.

    An error that the user can fix is printed as one line on standard error, without a
    traceback. The exit code is 2; for a fault of the machine, such as a full disk, it is
    3. Ctrl-C exits with 130, SIGTERM with 143 and a closed terminal with 129.
    """

    @functools.wraps(main)
    def run(argv=None):
        _fix_streams()
        with raised_signals():
            try:
                main(argv)
            except KeyboardInterrupt as stop:
                raise SystemExit(128 + (stop.args or [signal.SIGINT])[0]) from None
            except Exception as error:
                if (code := exit_code(error)) is None:
                    raise  # a bug: its traceback shows where
                print(f"error: {error_message(error)}", file=sys.stderr)
                raise SystemExit(code) from None

    return run


def _fix_streams():
    """Discard output where its stream is closed, and escape what it cannot encode."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: PTH123, SIM115
        if isinstance(getattr(sys, name), io.TextIOWrapper):  # notebooks have their own
            getattr(sys, name).reconfigure(errors="backslashreplace")


FLOAT32_MAX = 3.4e38
MAX_COUNT = 2**31 - 1  # limit of every option that is a count

RENAMED = {  # removed option -> the option that replaces it
    "--devices": "--device",
    "--halves": "--d-batches",
    "--verdict": "--discriminator",
    "--save-every-steps": "--steps-per-epoch",
}


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are UserErrors.

    Args:
        doc: the script's docstring; its first line is the description in the help.
        keywords: of ArgumentParser.
    """

    def __init__(self, doc, **keywords):
        super().__init__(
            usage="%(prog)s [options]",
            description=doc.strip().splitlines()[0],
            allow_abbrev=False,
            formatter_class=functools.partial(
                argparse.RawDescriptionHelpFormatter, max_help_position=26, width=100
            ),
            **keywords,
        )

    def error(self, message):
        known = self._option_string_actions  # other scripts have other options
        for word in re.split("[ =]", message):
            if RENAMED.get(word) in known:
                message += f"; use {RENAMED[word]} instead of {word}"
        raise UserError(f"{message} (see --help)")

    def parse_known_args(self, args=None, namespace=None):
        """Parse arguments, and expand `~` in them.

        Raises:
            UserError: an argument is not valid, or has an empty value.
        """
        options, rest = super().parse_known_args(args, namespace)
        for name, value in vars(options).items():
            if value == "":
                flag = next(x.option_strings for x in self._actions if x.dest == name)
                raise UserError(f"{(*flag, name.upper())[0]} is empty: add a value")
            if isinstance(value, str) and value.startswith("~"):
                setattr(options, name, str(expand_home(value)))
        return options, rest


def validated(convert, *rules):
    """Return a type for add_argument that converts a text and validates the result.

    Args:
        convert: int or float.
        rules: tuples (is_valid, description): a function, value -> bool; and the words
            that follow "must be" in the error message.
    """

    def parse(text):
        try:
            value = convert(text)
        except ValueError:
            value = None
        for is_valid, description in rules:
            if value is None or not is_valid(value):
                raise argparse.ArgumentTypeError(f"must be {description}, not {text!r}")
        return value

    return parse


def whole_number(at_least, at_most=MAX_COUNT, even=False):
    """Return a type for add_argument: a whole (and even) number in these bounds."""
    description = f"{'an even' if even else 'a whole'} number of at least {at_least}"
    return validated(
        int,
        (lambda value: value >= at_least and not (even and value % 2), description),
        (lambda value: value <= at_most, f"at most {at_most}"),
    )


def at_most(bound):
    """Return a type for add_argument: a number above 0 and at most the bound."""
    return validated(float, FINITE, ABOVE_0, (lambda x: x <= bound, f"at most {bound}"))


FINITE = (lambda x: abs(x) < FLOAT32_MAX, "a finite number")  # false for NaN
ABOVE_0 = (lambda x: x > 0, "a number above 0")
number, positive = validated(float, FINITE), validated(float, FINITE, ABOVE_0)
fraction = at_most(1)
seed_number = whole_number(0, at_most=2**32 - 1)  # the limit of np.random.seed


def data_source(names):
    """Return a type for add_argument: one of these names, or a path, made absolute."""

    def parse(text):
        if text in (*names, ""):  # Parser reports an empty text
            return text
        return str(expand_home(text).absolute())

    return parse


def expand_home(text):
    """Return a Path in which `~` is expanded to the home folder.

    Raises:
        UserError: there is no such home folder.
    """
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise UserError(f"{text!r}: no such home folder: write the full path") from None


def add_data(parser, names, default=None, paths=True):
    """Add `--data` to a parser: one of these names of data sets, or a path if allowed."""
    text = f"{', '.join(names)}{', or a path' * paths}"
    if names[0] == "auto":
        text += f"; auto is {names[1]}{', else digits' * ('digits' in names)}"
    values = {"type": data_source(names)} if paths else {"choices": names}
    parser.add_argument(
        "--data", default=default, help=f"{text} ({names[0]})", metavar="DATA", **values
    )


def add_range(parser):
    """Add `--range` to a parser: the range of a generator's images, or None."""
    text = "range of G's images, such as --range=-1..1 (default: by its last layers)"
    parser.add_argument("--range", choices=("0..1", "-1..1", "0..255"), help=text)


def lesson_options(argv, doc, data=None, more=None):
    """Parse the options of a lesson's script: `--data`, `--seed` and `--run-dir`.

    Args:
        argv: list of arguments, or None for those of the command line.
        doc: the script's docstring; its first line becomes the description in the help.
        data: names for `--data`, the default first; None: no such option.
        more: function, parser -> None, that adds the script's other options.

    Returns:
        argparse.Namespace.
    """
    parser = Parser(doc)
    if data:
        add_data(parser, data, default=data[0])
    if more:
        more(parser)
    parser.add_argument("--seed", type=seed_number, help="random seed (random)")
    parser.add_argument("--run-dir", metavar="DIR", help="a new folder for the results")
    return parser.parse_args(argv)
