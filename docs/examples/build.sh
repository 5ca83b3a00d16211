#!/bin/sh
# Builds one example over data of the user's, or says in one line what is missing: build.sh NAME VARIABLE FILES WHERE, as in the
# Makefile. The variable names a file or folder; without it, data/ of the example is used. LODPIPE is the program, PAGES=yes builds pages.
set -eu
name=$1 variable=$2 files=$3 where=$4
example=$(cd "$(dirname "$0")/$name" && pwd)
data=$example/data
eval "given=\${$variable:-}"
if [ -f "$given" ]; then given=$(dirname "$given"); fi
if [ -d "$given/data" ]; then given=$given/data; fi
folder=${given:-$data}

present() {
  for file in "$1"/$files; do
    if [ -e "$file" ]; then return 0; fi
  done
  return 1
}

if ! present "$folder"; then
  echo "docs/examples/$name is not built: no $files in $folder; $variable=PATH says where $where is (docs/examples/README.md)"
  exit 0
fi
if [ "$folder" != "$data" ]; then
  if [ -e "$data" ] && [ ! -L "$data" ]; then
    echo "docs/examples/$name is not built: $data is a folder; remove it, or leave out $variable"
    exit 1
  fi
  ln -sfn "$(cd "$folder" && pwd)" "$data"
fi
echo "docs/examples/$name: $folder"
pages=--no-site
if [ "${PAGES:-}" = yes ]; then pages=; fi
# shellcheck disable=SC2086  # the program may have arguments, and $pages may be none
${LODPIPE:-lodpipe} query --update --project "$example"
# shellcheck disable=SC2086
${LODPIPE:-lodpipe} build $pages --statistics --project "$example"
