"""What a computation refuses. Apart from DuckDB, so that commands name it without loading that."""


class SumTooLarge(ArithmeticError):
    """A sum of amounts, or of days weighted by them, needs more than 64 bits."""
