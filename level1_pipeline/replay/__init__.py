"""Replay: known weeks walked through once more, week by week, under several ways to retrain.

world: the data as they would have stood in each week. change: what is injected into them. loop: one week of
one strategy. walk: all of them, and what makes a replay go on where it was. figures, page: what came of it.
"""
