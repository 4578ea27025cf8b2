"""Verification of credentials of any issuer: what is shown, who signed it, what is true of it.

Nothing here trusts anything: documents are bounded before they are read, addresses are fetched by
`lms.core.outgoing.fetch` alone, and only what a signature covers is handed on to be shown.
"""
