"""Raise the signals that end a process as exceptions, so scripts can clean up."""

import os
import signal
import stat
import sys
from _thread import interrupt_main
from contextlib import contextmanager
from threading import Timer, main_thread

# Windows has no SIGHUP, the signal of a closed terminal.
STOP_SIGNALS = [getattr(signal, x) for x in ("SIGTERM", "SIGHUP") if hasattr(signal, x)]


class Terminated(KeyboardInterrupt):
    """SIGTERM, or SIGHUP of a closed terminal, handled like Ctrl-C."""


@contextmanager
def raised_signals():
    """Raise Terminated at SIGTERM and SIGHUP inside this context."""
    hook, sys.unraisablehook = sys.unraisablehook, _resend_signal
    try:
        with handled_signals(STOP_SIGNALS, _terminate):
            yield
    finally:
        sys.unraisablehook = hook


@contextmanager
def handled_signals(signals, handler):
    """Handle signals inside this context, except those ignored, for example by nohup.

    Args:
        signals: list of signal numbers.
        handler: function, see `signal.signal`.
    """
    handled = [s for s in signals if signal.getsignal(s) is not signal.SIG_IGN]
    before = {s: signal.signal(s, handler) for s in handled}
    try:
        yield
    finally:
        for signum, old in before.items():
            signal.signal(signum, old)


def _terminate(signum, frame):
    if signum != signal.SIGTERM:  # writing to a closed terminal would fail
        with open(os.devnull, "w") as null:  # noqa: PTH123
            for stream in (1, 2):
                if stat.S_ISCHR(os.fstat(stream).st_mode):
                    os.dup2(null.fileno(), stream)
    raise Terminated(int(signum))


def _resend_signal(unraisable):
    """Resend a signal that arrived in a destructor, where Python drops exceptions."""
    if not issubclass(unraisable.exc_type, KeyboardInterrupt):
        return sys.__unraisablehook__(unraisable)
    timer = Timer(0.1, _interrupt, unraisable.exc_value.args or [signal.SIGINT])
    timer.daemon = True
    timer.start()


def _interrupt(signum):
    """Send a signal to the main thread; on Windows it does not interrupt a wait."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread().ident, signum)
    else:
        interrupt_main(signum)
