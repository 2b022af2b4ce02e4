"""Monitoring: what was forecast, what came, how good it was, and how far the inputs have drifted.

issued: forecasts as they were issued. run: a delivery's actuals join them. book: the tables that this leaves.
"""
