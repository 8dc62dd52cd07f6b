"""Documents, images and video made readable, by libraries that run in a sandbox of their own."""
