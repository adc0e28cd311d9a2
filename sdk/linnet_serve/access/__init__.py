"""Access control of the service: keys, tokens of an issuer, quotas and the audit log."""
