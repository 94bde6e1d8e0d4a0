"""Statistics of metrics: intervals and tests that patients are drawn for, corrected t, Holm, ranks, and their words."""
