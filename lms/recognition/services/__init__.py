"""What changes accreditations, rules, members, hours and audits."""
