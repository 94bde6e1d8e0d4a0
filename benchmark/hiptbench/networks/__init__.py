"""The networks that extractors run: PyTorch modules with the tensor names of the published weights."""
