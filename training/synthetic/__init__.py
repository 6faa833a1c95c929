"""Makes labelled resume-job pairs: the truth is sampled first, then scored, and only then written as text."""
