"""The service: forecasts over HTTP from the release bundle in use, without torch, MLflow or pandas."""
