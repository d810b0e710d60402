"""The monitor: joins forecasts with the readings that follow, and reports accuracy, anomalies and alerts."""
