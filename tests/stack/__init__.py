"""The whole stack. A package of its own, so that the stack that its tests share ends with the last of them."""
