"""Dashboards: static pages that say what is forecast, how good it has been, and what is stale."""

from level2_cicd.dashboards.build import build_dashboards, dashboards_folder

__all__ = ["build_dashboards", "dashboards_folder"]
