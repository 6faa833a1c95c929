"""Plain cases: jobs and people of many occupations, written by hand, that any recruiter would order alike."""
