"""Read and validate the options of the run that `--resume` names."""

from common.basics.errors import UserError
from common.runs.layout import FORMAT
from common.runs.record import format_of, read_options


def resumed_options(script, parser, typed, dry_run):
    """Return the options of the run to resume: a dict, name -> value.

    Args:
        script: training_options.Script.
        parser: its Parser.
        typed: dict of the options of the command line.
        dry_run: dict of the options that `--dry-run` sets.

    Raises:
        UserError: the run is of another script or format, a recorded option is not valid,
            or an option of the command line differs from the recorded one.
    """
    run = typed["resume"]
    record = read_options(run)
    if record["script"] != script.path:
        raise UserError(
            f"--resume {run} is a run of {record['script']}: resume it with that script"
        )
    if record.get("format", 1) != FORMAT:
        raise UserError(
            f"--resume {run}: its options.json {format_of(record)}: resume it with the "
            "scripts that made it, or start a new run"
        )
    rows, recorded = script.rows(), record["options"]
    if unknown := set(recorded) - {"data", *rows}:
        raise UserError(
            f"--resume {run}: its options.json has unknown options, "
            f"{', '.join(sorted(unknown))}: resume it with the scripts that made it, or "
            "start a new run"
        )
    may_change = {"data", *(n for n, row in rows.items() if row.resume or row.local)}
    differing = [
        f"--{name.replace('_', '-')} {value} (the run's: {recorded.get(name)})"
        for name, value in typed.items()
        if name not in may_change and recorded.get(name) != value
    ]
    if differing:
        raise UserError(
            f"--resume {run}: options differ, {', '.join(differing)}: leave them out, or "
            "start a new run"
        )
    changed = {name: value for name, value in typed.items() if name in may_change}
    options = recorded | changed
    defaults = script.defaults()
    known = [defaults, dry_run, *script.presets.values(), *script.objectives.values()]
    check_options(parser, options, known)
    of_objective = script.objectives[options.get("objective", "bce")]
    return {**defaults, **of_objective, **options}


def check_options(parser, options, known):
    """Raise a UserError if a recorded option has a wrong type, or is out of range.

    Args:
        parser: the Parser of the script.
        options: dict of the options in an `options.json`.
        known: list of dicts of options that are always valid: defaults and presets.
    """
    for action in parser._actions:
        name, value = action.dest, options.get(action.dest)
        is_default = name not in options or is_known(name, value, known)
        if is_default and name != "seed":  # a seed of None would become random
            continue
        try:
            if not is_typed(parser, action, value):
                raise UserError(f"{name} is {value!r}, not a value of this option")
        except UserError as error:
            where = "the run's options.json"
            raise UserError(f"{where}: {error}; correct it there") from None


def is_known(name, value, known):
    """Return whether one of these dicts has this value, of the same type."""
    return any(
        name in each and each[name] == value and type(each[name]) is type(value)
        for each in known
    )


def is_typed(parser, action, value):
    """Return whether parsing the text of a value as its option returns the same value."""
    if action.nargs == 0:  # a flag without a value
        return isinstance(value, bool)
    argument = f"{action.option_strings[-1]}={value}"
    parsed = getattr(parser.parse_args([argument]), action.dest)
    is_float = isinstance(parsed, float) and type(value) is int
    return parsed == value and (is_float or type(value) is type(parsed))
