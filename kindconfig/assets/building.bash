# Functions for the scripts that build a cluster's programs and images; to be sourced. They speak on standard error.

# turn FILE WHAT waits until no other process holds the lock FILE, and takes it on descriptor 9 until the script ends.
# WHAT is written into FILE, so that whoever waits can say for whom. Commands that may outlive the script need 9>&-.
turn() {
  exec 9>>"$1"
  command -v flock >/dev/null || return 0
  local waited=$SECONDS
  if ! flock -n 9; then
    echo "waiting for $(cat "$1"); to go on without it, end that process" >&2
    until flock -w 30 9; do
      echo "still waiting after $((SECONDS - waited)) s for $(cat "$1")" >&2
    done
  fi
  echo "process $$, which is $2 (since $(date +%T), lock $1)" > "$1"
}

# room MEGABYTES DIRECTORY WHAT ends the script with exit code 2 if WHAT does not fit into DIRECTORY.
room() {
  local free
  free=$(df -Pm "$2" | awk 'NR == 2 { print $4 }')
  [ "$free" -ge "$1" ] || {
    echo "$3 needs $1 MB in $2, which has $free MB left: free some, or name another place (PLUMBLINE_ASSETS, GOCACHE, TMPDIR)" >&2
    exit 2
  }
}

# progress WHAT shortens what "go build -v" says to a line every fifteen seconds. Errors come through as they are.
progress() {
  local line packages=0 modules=0 told=$SECONDS began=$SECONDS
  while IFS= read -r line; do
    case $line in
    "go: downloading "*) modules=$((modules + 1)) ;;
    *[!A-Za-z0-9._~/-]* | "") echo "$line" ;;
    *) packages=$((packages + 1)) ;;
    esac
    if [ $((SECONDS - told)) -ge 15 ]; then
      echo "  $1: $packages packages compiled, $modules modules downloaded, $((SECONDS - began)) s"
      told=$SECONDS
    fi
  done >&2
}
