"""Heads: from bags of features to predictions. ``base`` has the contract, each other module one head."""
