"""Pure numbers: normalisation, the roll-up, the cube and the payloads. No I/O."""
