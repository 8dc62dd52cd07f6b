"""What ``ibench calibrate`` shows: lines, a picture, a page and a document."""
