"""Lint of splits and labels: what leaks between the parts, what is never tested, what gives the answer away."""
