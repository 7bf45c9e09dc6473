"""What readers request and how it is answered, counted."""
