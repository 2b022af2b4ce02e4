"""The members of the ensemble, what blends them, and the baseline they are held against."""
