"""results.json, tables, CSV, LaTeX and the file of all boxes."""
