"""Readers and writers of file formats, pure over bytes: shared by the connectors that meet files."""
