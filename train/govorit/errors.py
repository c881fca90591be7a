"""Errors that a person can mend: one line, shown without a traceback."""


class UserError(Exception):
    """A mistake in a command, a config or a corpus.

    The message is one line, `file:line: field: what was found, what was expected, how to mend it`; programs print it and exit with `code`.
    """

    code = 2

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split("\n")))


class TrainingError(UserError):
    """Training cannot go on (a loss that is not finite, say); nothing after the last good state was saved."""

    code = 1
