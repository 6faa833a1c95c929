"""Labels for pairs that nobody judged, from a cheap teacher that learned from the pairs that somebody did.

A few thousand human labels, with all their noise, are too few for a language model of 270M parameters to
learn from whole texts what it has to compare. A teacher over word statistics learns in seconds, and can judge
every pairing of the jobs and resumes at hand: some tens of thousands. Distillation into a student that reads
(Hinton, Vinyals and Dean 2015), with pseudo-labels (Lee 2013) beside the human ones.
"""
