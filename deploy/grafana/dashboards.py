"""The Grafana dashboards, as data: python deploy/grafana/dashboards.py writes dashboards/*.json.

The JSON files are what Grafana reads; a test fails when they are not what this file says.
"""

from pathlib import Path

from panels import Dashboard, Panel, Query, dashboard_json, mean, quantiles, rate, share_between

FOLDER = Path(__file__).parent / "dashboards"

SERVICE_OVERVIEW = Dashboard(
    "service-overview",
    "Scoring: service overview",
    (
        Panel(
            "Pairs per second",
            (Query("sum by (entrypoint) (job_entrypoint:scoring_requests:rate5m)", "{{entrypoint}}"),),
            "reqps",
        ),
        Panel(
            "Outcomes",
            (Query("sum by (outcome) (rate(scoring_requests_total[5m])) > 0", "{{outcome}}"),),
            "reqps",
        ),
        Panel(
            "Error ratio",
            (Query("job:scoring_request_errors:ratio_rate5m", "{{job}}"),),
            "percentunit",
            help="overloaded, scoring_failed and internal_error; what callers did wrong is not in it.",
        ),
        Panel(
            "Time of a Score call",
            quantiles("scoring_request_duration_seconds", selector='{entrypoint="score"}'),
            "s",
        ),
        Panel("Age of an application when scored", quantiles("scoring_event_age_seconds"), "s"),
        Panel(
            "Latency by stage",
            quantiles("scoring_stage_duration_seconds", "stage"),
            "s",
            help="queue and encode of a pair, forward and readout of a batch.",
        ),
        Panel(
            "Slow ones against the objective (1 %)",
            (Query("objective:scoring_slow:ratio_rate1h", "{{objective}}"),),
            "percentunit",
        ),
        Panel(
            "Lag",
            (
                Query("scoring_lag:sum", "all"),
                Query("partition:scoring_lag:current", "partition {{partition}}"),
            ),
            help="With Apache Kafka; the development broker tells its end offsets too low.",
        ),
        Panel(
            "Work in flight",
            (
                Query("sum by (job) (scoring_queue_requests)", "{{job}}: queued"),
                Query("sum(scoring_in_flight_applications)", "applications in flight"),
                Query("sum(scoring_waiting_applications)", "applications waiting for their job"),
            ),
        ),
        Panel("Tokens of a batch", (mean("scoring_batch_tokens", "job"),)),
        Panel("Pairs of a batch", (mean("scoring_batch_requests", "job"),)),
        Panel(
            "Padding and prefix hits",
            (
                Query("job:scoring_padding:ratio_rate5m", "{{job}}: padding"),
                Query("job:scoring_prefix_hits:ratio_rate5m", "{{job}}: prefix hits"),
            ),
            "percentunit",
        ),
        Panel("Dead letters", (rate("scoring_dead_letters_total", "error_kind"),), "reqps"),
        Panel(
            "Batches that cannot be decoded",
            (
                Query(
                    "sum by (job, topic) (increase(scoring_undecodable_batches_total[1h]))",
                    "{{job}}: {{topic}}",
                ),
            ),
            help="Damaged bytes or an unknown codec, in the last hour; what is behind them is read.",
        ),
        Panel("Unknown fields read past", (rate("scoring_unknown_fields_total", "topic"),), "reqps"),
        Panel(
            "Refused calls and audit failures",
            (
                rate("scoring_refused_calls_total", "reason"),
                Query("sum by (job) (rate(scoring_audit_log_failures_total[5m]))", "{{job}}: audit"),
                Query("max by (instance) (scoring_tokens_file_failing)", "{{instance}}: tokens file fails"),
            ),
            "reqps",
        ),
        Panel(
            "GPU memory",
            (Query("instance_device:scoring_gpu_memory:ratio", "{{instance}} GPU {{device}}"),),
            "percentunit",
            help="Empty on machines without a GPU.",
        ),
        Panel(
            "Memory",
            (
                Query("process_resident_memory_bytes", "{{job}} {{instance}}"),
                Query("sum by (job) (scoring_prefix_cache_bytes)", "{{job}}: prefix cache"),
            ),
            "bytes",
        ),
        Panel("CPU cores used", (Query("rate(process_cpu_seconds_total[5m])", "{{job}} {{instance}}"),)),
        Panel("Targets up", (Query("sum by (job) (up)", "{{job}}"),)),
        Panel(
            "Certificates end in",
            (Query("scoring_tls_certificate_expiry_timestamp_seconds - time()", "{{job}} {{instance}}"),),
            "s",
            help="Empty where no TLS is set up.",
        ),
    ),
)

MODEL_QUALITY = Dashboard(
    "model-quality",
    "Scoring: model quality",
    (
        Panel(
            "Score distribution",
            (Query("sum by (le) (increase(scoring_score_points_bucket[5m]))", "{{le}}"),),
            kind="heatmap",
        ),
        Panel(
            "Mean score",
            (mean("scoring_score_points", "job"),),
            help="The mean of all scores that were given.",
        ),
        Panel(
            "Categories",
            (
                share_between("", "45.0", "poor"),
                share_between("45.0", "65.0", "fair"),
                share_between("65.0", "85.0", "good"),
                share_between("85.0", "100.0", "excellent"),
            ),
            "percentunit",
        ),
        Panel(
            "Drift",
            (Query("max by (job, figure) (scoring_drift_population_stability_index)", "{{job}} {{figure}}"),),
            help="Population stability index: below 0.1 none, above 0.25 a shift; no value below 200 scores.",
        ),
        Panel(
            "Active adapters",
            (
                Query(
                    "count by (adapter_version, adapter_digest, base_model) (scoring_adapter_info)",
                    "{{base_model}} {{adapter_version}} {{adapter_digest}}",
                ),
            ),
            kind="state-timeline",
            help="How many processes score with which adapter.",
        ),
        Panel(
            "Adapter switches", (Query("sum by (outcome) (scoring_adapter_switches_total)", "{{outcome}}"),)
        ),
        Panel("Pause of a switch", (mean("scoring_adapter_switch_pause_seconds", "job"),), "s"),
        Panel("Gate verdicts", (Query("sum by (verdict) (finetuning_gate_verdicts_total)", "{{verdict}}"),)),
        Panel("Labels per second", (rate("finetuning_labels_total", "outcome"),), "reqps"),
        Panel(
            "Disagreement of raters",
            (Query("finetuning_rater_disagreement_points", "points"),),
            help="Mean absolute difference of two people who judged the same application.",
        ),
        Panel("Labels asked for", (rate("scoring_annotation_requests_total", "reason"),), "reqps"),
        Panel("Jobs known", (Query("scoring_jobs", "{{instance}}"),)),
        Panel(
            "Job records that changed nothing",
            (
                Query("sum(increase(scoring_job_records_outdated_total[1h]))", "older than what is known"),
                Query("sum(increase(scoring_job_records_skipped_total[1h]))", "unreadable"),
            ),
            help="In the last hour; a worker that connects anew meets the same ones again.",
        ),
    ),
)

TRAINING = Dashboard(
    "training",
    "Scoring: training",
    (
        Panel(
            "Labels",
            (
                Query("finetuning_usable_labels", "usable"),
                Query("finetuning_new_labels", "new"),
                Query("finetuning_waiting_labels", "waiting for their texts"),
                Query("finetuning_quarantined_labels", "in quarantine"),
            ),
        ),
        Panel("A run goes on", (Query("finetuning_running_jobs", "{{instance}}"),), kind="state-timeline"),
        Panel("Runs by outcome", (Query("sum by (outcome) (finetuning_jobs_total)", "{{outcome}}"),)),
        Panel(
            "Time of a run",
            (
                Query(
                    "sum(finetuning_job_duration_seconds_sum)"
                    " / (sum(finetuning_job_duration_seconds_count) > 0)",
                    "mean",
                ),
            ),
            "s",
        ),
        Panel(
            "Since the last run",
            (Query("time() - (finetuning_last_run_timestamp_seconds > 0)", "{{instance}}"),),
            "s",
            kind="stat",
        ),
        Panel(
            "Bad labels",
            (
                Query(
                    'sum by (error_kind) (scoring_dead_letters_total{job="training-service"})',
                    "{{error_kind}}",
                ),
            ),
        ),
        Panel(
            "Trainer memory",
            (Query('process_resident_memory_bytes{job="training-service"}', "{{instance}}"),),
            "bytes",
            help="The service alone; a run is a process of its own.",
        ),
    ),
)

DASHBOARDS = (SERVICE_OVERVIEW, MODEL_QUALITY, TRAINING)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for dashboard in DASHBOARDS:
        (FOLDER / f"{dashboard.uid}.json").write_text(dashboard_json(dashboard))


if __name__ == "__main__":
    main()
