"""Do the intervals cover, and do the tests keep their level? ``python -m tests.simulation`` (``make simulate``).

Cohorts with a known law are drawn thousands of times; the truth of a fitted model is its metric on 20,000 fresh units.
The seed was fixed before the first run; the last result is committed beside the script, as result.json and result.md.
Modules import each other relatively: pytest knows this package as ``simulation``, not as ``tests.simulation``.
"""
