"""The engineers' page of the system."""
