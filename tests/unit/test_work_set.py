from tests.work_set import jobs, mixed_length_resumes, resumes


def test_the_same_seed_gives_the_same_texts() -> None:
    assert jobs(20) == jobs(20)
    assert resumes(20, seed=3) == resumes(20, seed=3)
    assert mixed_length_resumes(20, seed=3) == mixed_length_resumes(20, seed=3)


def test_another_seed_gives_other_resumes() -> None:
    assert not set(resumes(100, seed=1)) & set(resumes(100, seed=2))


def test_all_texts_differ() -> None:
    assert len({job.description for job in jobs(20)}) == 20
    assert len({job.job_id for job in jobs(20)}) == 20
    assert len(set(resumes(400, seed=1))) == 400


def test_a_longer_set_starts_like_a_shorter_one() -> None:
    assert jobs(40)[:20] == jobs(20)
    assert resumes(40, seed=1)[:20] == resumes(20, seed=1)


def test_texts_have_the_lengths_of_real_ones() -> None:
    assert all(1_400 <= len(job.description) <= 1_700 for job in jobs(100))
    assert all(1_050 <= len(resume) <= 1_350 for resume in resumes(400, seed=1))


def test_mixed_lengths_are_mixed() -> None:
    lengths = [len(resume) for resume in mixed_length_resumes(200, seed=1)]

    assert min(lengths) < 450
    assert max(lengths) > 4_500
    assert sum(length < 1_500 for length in lengths) > 60
