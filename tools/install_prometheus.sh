#!/bin/sh
# Fetch Debian's Prometheus (with promtool) and Alertmanager (with amtool) for the tests:
#
#     tools/install_prometheus.sh [DIRECTORY]          default .ci/prometheus
#
# The packages are unpacked, not installed: no root, no service is started, nothing of the system
# changes, and removing DIRECTORY removes everything. Exit status 0: the four programs run.
set -eu

directory=${1:-.ci/prometheus}
bin=$directory/usr/bin
programs="prometheus promtool prometheus-alertmanager amtool"

give_up() {
  echo "install_prometheus: $*" >&2
  exit 1
}

works() {
  for program in $programs; do
    "$bin/$program" --version >/dev/null 2>&1 || return 1
  done
}

if works; then
  exit 0
fi
for needed in apt-get dpkg-deb; do
  command -v "$needed" >/dev/null || give_up "no $needed here; this takes Debian's packages only"
done

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
bin=$directory/usr/bin
fresh=$(mktemp -d "$directory/fetch.XXXXXX")
trap 'rm -rf "$fresh"' EXIT INT TERM
chmod 755 "$fresh" # apt drops its rights for the download

fetch() { # apt that gives up where there is no network
  timeout 60 apt-get -q -o Acquire::Retries=0 -o Acquire::http::Timeout=10 -o APT::Sandbox::User= "$@"
}

own_lists() { # apt with lists of its own, which need no root
  mkdir -p "$fresh/state/lists/partial" "$fresh/cache/archives/partial"
  fetch -o Dir::State="$fresh/state" -o Dir::State::status=/var/lib/dpkg/status \
    -o Dir::Cache="$fresh/cache" "$@"
}

cd "$fresh"
packages="prometheus prometheus-alertmanager"
# What the lists of this machine name may be gone from the mirror, or there are no lists.
# shellcheck disable=SC2086
if ! fetch download $packages >"$fresh/log" 2>"$fresh/why"; then
  echo "install_prometheus: fetching the package lists"
  { own_lists update && own_lists download $packages; } >"$fresh/log" 2>"$fresh/why" ||
    give_up "cannot download $packages: $(tail -n 1 "$fresh/why")"
fi
for package in ./*.deb; do
  dpkg-deb -x "$package" "$directory"
done
works || give_up "$bin/prometheus does not run here"
echo "install_prometheus: $("$bin/promtool" --version 2>&1 | head -n 1) in $bin"
