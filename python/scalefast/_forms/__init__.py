"""What a law file says: forms, published sets, losses, the catalogue. Standard library only."""
