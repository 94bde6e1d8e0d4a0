"""A fit that did not converge is an error: its numbers depend on where it stopped."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from hiptbench.errors import HeadError
from hiptbench.heads.base import Head


@contextmanager
def refuse_unconverged(head: Head) -> Iterator[None]:
    """Turn the warning of scikit-learn and scikit-survival that a solver did not converge into an error.

    Args:
        head: The head whose settings the error names.

    Raises:
        HeadError: If the fit inside the block did not converge.
    """
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            yield
        except ConvergenceWarning as warning:
            why = str(warning).splitlines()[0]
            raise HeadError(
                f"{head} did not converge: {why} Regularise it more strongly or allow more iterations."
            ) from warning
