"""Where labels, splits and published features come from: public checkouts or a user's CSV."""
