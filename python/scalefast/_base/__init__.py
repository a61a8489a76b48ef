"""What everything stands on: errors, numbers with units, findings and codes. Standard library only."""
