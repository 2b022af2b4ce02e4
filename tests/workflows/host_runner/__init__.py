"""Runs GitHub workflows on this machine: events, jobs, steps, artifacts, REST API; no container."""
