"""Parts that the test runner, the end-to-end tests and the quickstart are made of."""
