"""The pages: routes, what each is written from, and its parts in folders of their own."""
