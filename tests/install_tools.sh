#!/bin/sh
# Installs the programs that tests use where they can be had. Nothing here is required: a test whose program is
# missing is skipped and says so.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p .cache/bin

missing=""
command -v kcat >/dev/null 2>&1 || missing="$missing kcat"
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$missing postgresql"
if [ -n "$missing" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing with apt"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq $missing >/dev/null ||
      echo "apt could not install$missing: the tests that need them will be skipped"
  else
    echo "not here:$missing. With apt, as root: apt-get install$missing"
  fi
fi

# A real S3 server: 80 MB, built once in about two minutes.
if command -v versitygw >/dev/null 2>&1 || [ -x .cache/bin/versitygw ]; then
  :
elif command -v go >/dev/null 2>&1; then
  echo "building versitygw with Go (about two minutes, once)"
  GOBIN="$PWD/.cache/bin" go install github.com/versity/versitygw/cmd/versitygw@v1.8.0 ||
    echo "versitygw could not be built: tests on a real S3 server will be skipped"
else
  echo "not here: go, so no versitygw: tests on a real S3 server will be skipped"
fi
