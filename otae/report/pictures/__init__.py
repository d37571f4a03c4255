"""Pictures: functions from data to figures, one idea a file."""
