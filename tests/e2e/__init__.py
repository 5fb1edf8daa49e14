"""End-to-end tests: the daemon as a process, on real parts."""
