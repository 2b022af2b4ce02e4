"""Level 1: the automated pipeline, from raw sources to tracked models and forecasts."""
