"""The domain: one weekly demand forecast, from raw tables to segment models. It knows no platform."""
