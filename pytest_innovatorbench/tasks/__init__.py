"""Tasks on disk: layout, schema, discovery."""
