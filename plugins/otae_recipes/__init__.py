"""The recipes that come with otae: one YAML file each, and no code."""
