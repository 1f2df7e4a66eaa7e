"""The one kind of error that a user is meant to read."""


class UserError(Exception):
    """What the user got wrong, the value seen and how to mend it, in one sentence."""


class MachineError(UserError):
    """The same where the machine is at fault, such as a full disk."""
