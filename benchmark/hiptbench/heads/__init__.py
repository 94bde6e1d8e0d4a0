"""Heads: from bags of features to predictions. ``base`` has the contract, each other module one head.

Libraries that take seconds to import are imported where a head fits or predicts: a run is planned without them.
"""
