"""The whole stack. A package of its own, so that the stack its tests share ends with the last of them."""
