"""Brief pairs: short, labelled over the whole scale, and the same from the same seed."""

from statistics import mean

from training.synthetic.brief_pairs import BRIEF_RESUMES_PER_JOB, generate_brief_pairs

NUM_PAIRS = 25 * BRIEF_RESUMES_PER_JOB


def test_the_same_seed_gives_the_same_pairs_and_another_others() -> None:
    pairs = list(generate_brief_pairs(40, seed=1))

    assert pairs == list(generate_brief_pairs(60, seed=1))[:40]
    assert not {pair["resume"] for pair in pairs} & {
        pair["resume"] for pair in generate_brief_pairs(40, seed=2)
    }


def test_texts_are_brief_and_labels_cover_the_scale() -> None:
    pairs = list(generate_brief_pairs(NUM_PAIRS))

    assert mean(len(pair["resume"]) + len(pair["job_description"]) for pair in pairs) < 800
    for lowest in range(0, 100, 20):
        assert sum(lowest <= pair["score"] <= lowest + 20 for pair in pairs) > NUM_PAIRS / 20


def test_a_resume_that_names_more_of_the_required_skills_scores_higher_on_average() -> None:
    shares: dict[bool, list[float]] = {True: [], False: []}
    for pair in generate_brief_pairs(NUM_PAIRS):
        required = pair["job_description"].split("Required skills: ")[1].split(".")[0].split(", ")
        num_named = sum(skill in pair["resume"] for skill in required)
        shares[num_named > len(required) / 2].append(pair["score"])

    assert mean(shares[True]) > mean(shares[False]) + 25
