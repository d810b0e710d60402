"""Backtests of a model beside other methods: their errors, tables and plots."""
