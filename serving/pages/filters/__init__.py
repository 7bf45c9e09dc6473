"""The filter form, its chips and the addresses that they lead to."""
