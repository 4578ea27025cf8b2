"""What associations recognise: accreditation, rules, hours of their members, evidence."""
