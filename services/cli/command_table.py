"""Every command of ``resume-scorer``, for its ``LazyGroup``."""

COMMANDS = {
    "adapters": (
        "services.cli.training_commands.adapters:adapters",
        "Lists, publishes, activates and rolls back adapters; running scorers follow by themselves.",
    ),
    "api": ("services.cli.service_commands.api:api", "Answers gRPC calls."),
    "audit": (
        "services.cli.audit_commands.audit:audit",
        "Measures how scores change with what must not matter; exit code 3 where a threshold is missed.",
    ),
    "audit-injection": (
        "services.cli.audit_commands.audit_injection:audit_injection",
        "Scores pairs of honest and attacked resumes; shows the rise, what is flagged, and false flags.",
    ),
    "audit-log": (
        "services.cli.audit_commands.audit_log:audit_log",
        "Looks after the files in which every score has its line.",
    ),
    "bench": (
        "services.cli.scoring_commands.bench:bench",
        "Scores invented pairs with several batch budgets; prints speed, waits, memory and what to set.",
    ),
    "broker": (
        "services.cli.service_commands.broker:broker",
        "Runs the development broker: Kafka's protocol, everything in memory.",
    ),
    "data": (
        "services.cli.training_commands.data:data",
        "Makes labelled pairs to train on.",
    ),
    "dead-letters": (
        "services.cli.event_commands.dead_letters:dead_letters",
        "Looks after the records that could not be processed.",
    ),
    "demo": (
        "services.cli.service_commands.demo:demo",
        "Shows what the parts do together, on this machine alone.",
    ),
    "evaluate": (
        "services.cli.scoring_commands.evaluate:evaluate",
        "Compares the model's scores with people's labels.",
    ),
    "forget": (
        "services.cli.event_commands.forget:forget",
        "Removes an application's texts and labels, and writes tombstones; may be repeated.",
    ),
    "model": (
        "services.cli.scoring_commands.model:model",
        "Looks after the base model on this machine.",
    ),
    "predict": ("services.cli.scoring_commands.predict:predict", "Scores every row of a file."),
    "publish": (
        "services.cli.event_commands.publish:publish",
        "Publishes the events of a file of JSON lines; nothing is sent unless every line is right.",
    ),
    "score": ("services.cli.scoring_commands.score:score", "Scores resumes against a job, best first."),
    "settings": (
        "services.cli.service_commands.settings:settings",
        "Shows every setting with its value here; passwords and tokens stay hidden.",
    ),
    "train": (
        "services.cli.training_commands.train:train",
        "Fine-tunes a LoRA adapter; SCORER_ADAPTER or --adapter then loads its folder.",
    ),
    "trainer": (
        "services.cli.service_commands.trainer:trainer",
        "Takes labels in from Kafka, trains new adapters and publishes the better ones.",
    ),
    "tune": (
        "services.cli.training_commands.train:tune",
        "Searches a grid of settings and writes the best configuration.",
    ),
    "up": (
        "services.cli.service_commands.up:up",
        "Runs broker, worker, API and trainer here, scores six samples, and stays until Ctrl-C.",
    ),
    "watch": ("services.cli.event_commands.watch:watch", "Shows records as they arrive, until Ctrl-C."),
    "worker": ("services.cli.service_commands.worker:worker", "Scores applications from Kafka."),
}
