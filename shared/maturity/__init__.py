"""How mature is an ML repository? Questions, a scanner that executes nothing, grades, scores and reports."""
