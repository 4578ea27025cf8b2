"""Scholarship funds: what donors gave, who applies, what is awarded; prices are pricing's."""
