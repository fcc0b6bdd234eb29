# Sourced by the engines' scripts: background processes that are ended by their recorded number and start time alone.
export PATH=${PATH:-/usr/local/bin:/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin

# start NAME COMMAND…: in a session of its own, with its output in $dir/log/NAME.out.
start() {
    local name=$1
    shift
    (
        # Whoever waits for our caller's end by an inherited descriptor must not wait for a daemon's.
        for fd in /proc/self/fd/*; do
            [ "${fd##*/}" -gt 2 ] && eval "exec ${fd##*/}>&-"
        done
        exec setsid nohup "$@"
    ) >>"$dir/log/$name.out" 2>&1 </dev/null &
    printf '%s %s\n' $! "$(awk '{print $22}' "/proc/$!/stat" 2>/dev/null)" >"$dir/pids/$name"
}

# lives NAME: whether that very process runs; numbers come again.
lives() {
    local pid born
    read -r pid born 2>/dev/null <"$dir/pids/$1" || return 1
    [ "$(awk '$3 != "Z" {print $22}' "/proc/$pid/stat" 2>/dev/null)" = "$born" ]
}

# end NAME [SIGNAL]: ends it and waits for that; after ten seconds with SIGKILL.
end() {
    local pid rest
    read -r pid rest 2>/dev/null <"$dir/pids/$1" || return 0
    lives "$1" && kill "-${2:-TERM}" "$pid" 2>/dev/null
    for _ in $(seq 100); do
        lives "$1" || break
        sleep 0.1
    done
    lives "$1" && kill -KILL "$pid" 2>/dev/null
    rm -f "$dir/pids/$1"
}

# until_true SECONDS COMMAND…: repeats the command until it succeeds. A program gets ten seconds each time; a function
# sees to that itself.
until_true() {
    local end=$((SECONDS + $1)) limit="timeout 10"
    shift
    [ "$(type -t "$1")" = function ] && limit=
    until $limit "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}
