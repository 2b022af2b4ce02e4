"""Level 2: releases by themselves, from a change of code or data to forecasts that can be accounted for."""
