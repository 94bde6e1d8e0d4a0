"""Slides: opening and reading them at a physical resolution, tissue, grids of regions, and drawn ones."""
