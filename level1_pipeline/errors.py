"""What ends a command with an exit code of its own, beside the errors of `demand`."""


class GateRefused(RuntimeError):
    """No segment's new model may be used; the command line turns it into exit code 3."""
