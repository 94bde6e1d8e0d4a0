"""The report: what a reader should see of a store, derived once (``derive``) and drawn as a static site (``site``)."""
