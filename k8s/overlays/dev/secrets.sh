#!/bin/sh
# Prints the namespace and the two Secrets of the dev overlay, with new random values at each run:
#   sh k8s/overlays/dev/secrets.sh | kubectl create -f -
# `create`, not `apply`: PostgreSQL keeps the password that its volume was made with.
set -eu

random() {
  openssl rand -hex "$1"
}

postgres=$(random 24)
redis=$(random 24)
access_key=$(random 10)
secret_key=$(random 20)
signing_key=$(random 32)

cat <<MANIFESTS
apiVersion: v1
kind: Namespace
metadata:
  name: scenescore
---
# what Scenescore itself reads
apiVersion: v1
kind: Secret
metadata:
  name: scenescore-secrets
  namespace: scenescore
stringData:
  SCENESCORE_DATABASE__URL: postgresql+psycopg://scenescore:$postgres@postgres:5432/scenescore
  SCENESCORE_BROKER__URL: redis://:$redis@redis:6379/0
  SCENESCORE_STORAGE__ACCESS_KEY_ID: "$access_key"
  SCENESCORE_STORAGE__SECRET_ACCESS_KEY: "$secret_key"
  SCENESCORE_WEBHOOKS__SIGNING_KEY: "$signing_key"
---
# what the data stores of this overlay read
apiVersion: v1
kind: Secret
metadata:
  name: scenescore-stores
  namespace: scenescore
stringData:
  POSTGRES_PASSWORD: "$postgres"
  REDIS_PASSWORD: "$redis"
  AWS_ACCESS_KEY_ID: "$access_key"
  AWS_SECRET_ACCESS_KEY: "$secret_key"
MANIFESTS
