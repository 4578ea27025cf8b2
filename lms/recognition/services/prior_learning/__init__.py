"""Recognition of prior learning: offers, portfolios, assessment, what follows from it."""
