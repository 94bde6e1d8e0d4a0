"""Feature extractors: from pixels to features. ``base`` has the contract, each other module one extractor."""
