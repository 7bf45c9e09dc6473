"""Inputs that a fuzzer makes, for each border at which something comes from outside."""
