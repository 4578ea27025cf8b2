"""Tables to read and download: list of reports, filters, CSV and XLSX."""
