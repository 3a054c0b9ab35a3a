"""Figures against our budgets. Not tests: a machine's mood must never break a build."""
