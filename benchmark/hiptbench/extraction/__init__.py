"""From a folder of slides to a feature set: settings, reading ahead, files, and the run over all slides."""
