"""Webhook receivers for tests and for the quickstart."""
