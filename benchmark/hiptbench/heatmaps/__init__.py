"""Heat maps of attention: HIPT's two stages over a slide, and a trained head over its regions."""
