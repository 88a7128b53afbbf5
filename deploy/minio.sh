#!/bin/sh
# Wire a MinIO-style server's bucket events to the listener, by webhook. Needs `mc` and an alias called `store`.
# The same bucket can push to a Redis list instead: set notify_redis with format=access and key=bucketevents.
set -eu
LISTENER=${LISTENER:?address of the listener, like http://listener:8971/s3-events}
TOKEN=${TOKEN:?what CASEFERRY_EVENTS__WEBHOOK_TOKEN is set to}
mc admin config set store notify_webhook:caseferry endpoint="$LISTENER" auth_token="Bearer $TOKEN" queue_dir=/tmp/events
mc admin service restart store
mc mb --ignore-existing store/caseferry
mc anonymous set none store/caseferry
mc event add store/caseferry arn:minio:sqs::caseferry:webhook --event put --prefix drops/
