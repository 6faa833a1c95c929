#!/bin/sh
# Creates the topics that are missing, with the cleanup policies of services/contracts/topics.py.
# BOOTSTRAP: broker address; PARTITIONS: of the topics that are spread over workers.
set -eu

create() { # name, cleanup policy, partitions, further options
  topic=$1 policy=$2 partitions=$3
  shift 3
  /opt/kafka/bin/kafka-topics.sh --bootstrap-server "$BOOTSTRAP" --create --if-not-exists --topic "$topic" \
    --partitions "$partitions" --replication-factor "${REPLICATION:-1}" --config "cleanup.policy=$policy" "$@"
}

create recruiting.job.posted.v1 compact "$PARTITIONS"
create recruiting.application.submitted.v1 delete "$PARTITIONS"
create recruiting.application.scored.v1 compact,delete "$PARTITIONS"
create recruiting.score.labelled.v1 delete "$PARTITIONS"
create recruiting.annotation.requested.v1 delete "$PARTITIONS"
create scoring.adapter.published.v1 compact 1
# Room for the original record with its error headers.
create recruiting.job.posted.v1.dlq delete 1 --config max.message.bytes=2097152
create recruiting.application.submitted.v1.dlq delete 1 --config max.message.bytes=2097152
create recruiting.score.labelled.v1.dlq delete 1 --config max.message.bytes=2097152
