"""Numbers of linnet on their way out: sinks at an interval, alerts, `linnet monitor`, rules and dashboards."""
