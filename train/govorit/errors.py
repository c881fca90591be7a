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


class MissingPackageError(UserError):
    """What somebody asked for needs an optional package, which comes with `extra` of ours, or by its own name alone."""

    def __init__(self, asked: str, package: str, extra: str | None) -> None:
        wanted = f"'govorit[{extra}]'" if extra else package
        super().__init__(f"{asked}: needs {package}, which is not installed: pip install {wanted}")
