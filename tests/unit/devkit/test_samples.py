import pytest

from services.contracts.scoring import category_of
from services.devkit.samples import SamplePair, load_samples
from services.events.wire.message_limits import violations_of
from services.pb.scoring.v1.events_pb2 import ApplicationSubmitted, JobPosted

LABELS = ["perfect", "excellent", "good", "fair", "poor", "very poor"]
SAMPLES = load_samples()
each_sample = pytest.mark.parametrize("sample", SAMPLES, ids=[sample.label for sample in SAMPLES])


def test_there_is_one_sample_for_each_label_best_first() -> None:
    assert [sample.label for sample in SAMPLES] == LABELS
    assert [sample.expected_score for sample in SAMPLES] == [98, 92, 72, 58, 35, 25]


def test_every_sample_has_its_own_ids_and_texts() -> None:
    for field in ("application_id", "job_id", "job_title", "job_description", "resume"):
        assert len({getattr(sample, field) for sample in SAMPLES}) == len(SAMPLES)


@each_sample
def test_a_sample_is_in_the_category_of_its_score(sample: SamplePair) -> None:
    assert sample.category == category_of(sample.expected_score)


@each_sample
def test_a_sample_obeys_the_limits_of_the_topics(sample: SamplePair) -> None:
    job = JobPosted(job_id=sample.job_id, title=sample.job_title, description=sample.job_description)
    application = ApplicationSubmitted(
        application_id=sample.application_id, job_id=sample.job_id, resume=sample.resume
    )

    assert violations_of(job) == ()
    assert violations_of(application) == ()


@each_sample
def test_a_sample_is_of_real_length(sample: SamplePair) -> None:
    assert 250 <= len(sample.job_description.split()) <= 400
    assert 300 <= len(sample.resume.split()) <= 550


@each_sample
def test_a_sample_names_no_real_person(sample: SamplePair) -> None:
    assert "@example.com" in sample.resume
    assert "555-" in sample.resume
