"""The commands: each parses its command line and calls; nothing else imports this package."""
