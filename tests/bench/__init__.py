"""Benchmarks of the whole program: ``python -m tests.bench [--full] [ID...]``.

Each runs whole processes and takes medians inside one invocation; a new one joins ``BENCHMARKS`` in ``__main__``.
Modules import each other relatively: pytest knows this package as ``bench``, ``python -m`` as ``tests.bench``.
"""
