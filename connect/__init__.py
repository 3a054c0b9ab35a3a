"""The platform that runs connectors. Authors import :mod:`connect.api`; everything else is free to change."""
