"""Tuning: a seeded search over the recipe's few parameters, judged on weeks before those that judge models.

space: the parameters. folds: the weeks. study: the search. outcome: whether anything is certainly better.
"""
