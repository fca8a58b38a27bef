# Starts and stops the rig's processes, each by its own process id.
# A process id alone may have been given to somebody else since, so its start time is kept beside it.
# shellcheck shell=bash

# The moment a process started, in the kernel's ticks. The command's name may hold blanks and brackets.
start_time() {
    local stat
    { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
    # shellcheck disable=SC2086 # fields are wanted
    set -- ${stat##*) }
    [ "$1" != Z ] && printf '%s\n' "${20}"
}

# start NAME COMMAND…: runs it in its own session with its output in a log file.
# Children of one of that name that was killed are ended first. The mark is how they are found.
start() {
    local name=$1 pid
    shift
    end_leftovers "$name"
    REPRO_RIG_PROCESS=$rig_state/$name setsid "$@" </dev/null >"$rig_state/log/$name" 2>&1 9>&- &
    pid=$!
    printf '%s %s\n' "$pid" "$(start_time "$pid")" >"$rig_state/pid/$name"
}

# The process id of a part that still runs; fails if it has ended or its id belongs to somebody else.
running() {
    local pid started
    { read -r pid started <"$rig_state/pid/$1"; } 2>/dev/null || return 1
    [ "$(start_time "$pid")" = "$started" ] && printf '%s\n' "$pid"
}

# Waits until a started part answers, `$2` seconds at most; shows its log otherwise.
await() {
    local name=$1 seconds=$2 left problem=""
    shift 2
    left=$((seconds * 10))
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        running "$name" >/dev/null || problem="ended before it answered"
        [ "$left" -gt 0 ] || problem="did not answer within $seconds s"
        if [ -n "$problem" ]; then
            tail -n 15 "$rig_state/log/$name" >&2
            die "$problem: $(tail -n 1 "$rig_state/log/$name")"
        fi
        sleep 0.1
    done
}

# Asks a part to end, insists after 15 s.
stop() {
    local pid left=150
    if pid=$(running "$1"); then
        kill -TERM "$pid" 2>/dev/null || true
        while running "$1" >/dev/null; do
            left=$((left - 1))
            if [ "$left" -le 0 ]; then
                kill -KILL "$pid" 2>/dev/null || true
                break
            fi
            sleep 0.1
        done
    fi
    rm -f "$rig_state/pid/$1"
}

# Ends processes that outlived the daemon that started them: those that carry the mark of `start NAME`.
end_leftovers() {
    local environ pid
    for environ in /proc/[0-9]*/environ; do
        if grep -qzxF "REPRO_RIG_PROCESS=$rig_state/$1" "$environ" 2>/dev/null; then
            pid=${environ#/proc/}
            kill -KILL "${pid%/environ}" 2>/dev/null || true
        fi
    done
}

# start_server files|git: serves the folder of that name in the rig's state unless it is served; prints its address.
start_server() {
    local port
    port=$(port_of "$1")
    if ! running "$1" >/dev/null; then
        mkdir -p "$rig_state/$1"
        start "$1" python3 "$rig_dir/lib/serve.py" "$1" "$rig_state/$1" "$port"
        await "$1" 30 answers "http://127.0.0.1:$port/"
    fi
    printf 'http://127.0.0.1:%s\n' "$port"
}
