"""`tf.errors`."""


class OpError(Exception):
    """What can go wrong when a graph is run."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidArgumentError(OpError, ValueError):
    """An operation cannot take what it was given."""


class FailedPreconditionError(OpError):
    """A variable has no value yet."""
