"""What the predictions of folds say about discrimination, calibration and error: each a value, or why there is none."""
