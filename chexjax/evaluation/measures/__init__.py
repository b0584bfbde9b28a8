"""What one prediction is worth; nothing here knows a data set or a protocol."""
