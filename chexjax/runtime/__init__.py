"""Around a computation: kept programs, memory, processes, provenance."""
