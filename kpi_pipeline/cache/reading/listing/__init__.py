"""The list of certificates as readers slice it: filtered, searched, sorted and summed from blocks."""
