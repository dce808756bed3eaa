"""Signed messages to the receivers that job owners name, by the Standard Webhooks specification."""
