internal import Core

/// The program that carries one run out at a centre whose engine is not ours: text of `/bin/sh`, so that a node needs
/// nothing of ours.
///
/// An engine may start it twice: Slurm was seen to start a running job again after its controller had been killed. So it
/// claims the run first, by a hard link on the centre's shared folder, and a second start does nothing and says so. It
/// leaves how the run ended beside it, where it survives the engine's memory.
///
/// - `sh script main [LAUNCHER…]`: the whole run. The launcher starts `sh script task` once for each task of a gang, as
///   `srun` does; without one, all tasks run on this node.
/// - `sh script task [RANK]`: one task, for a main. The rank may come from the launcher's variables.
/// - `sh script member RANK`: one task with a claim and an end of its own, for engines that start each task themselves.
///   `ONEPOINT_MASTER_ADDR` and `ONEPOINT_MASTER_PORT` then say where rank 0 listens.
struct RunScript {
    var order: EngineOrder
    var folder: RunFolder
    /// The folder that all nodes of the centre share.
    var root: String
    /// The folder of its Python environment, when it needs one.
    var environment: PythonEnvironment?
    /// From the polite signal to the hard one, unless a cancel says otherwise.
    var graceSeconds: Int

    var text: String {
        var variables: [(String, String)] = [
            ("run", order.run.description), ("job", order.run.job.description), ("number", "\(order.run.number)"),
            ("dir", folder.path), ("root", root), ("tasks", "\(order.tasks)"),
            ("limit", "\(max(1, order.timeLimitSeconds))"), ("grace", "\(graceSeconds)"),
            ("environment", environment?.folder ?? ""),
        ]
        let words = order.command.map { $0.replacingBytes("{algorithm}", by: order.algorithmFolder ?? "{algorithm}") }
        variables.append(("program", words.first ?? ""))
        let assignments = variables.map { "\($0)=\(Self.quoted($1))" }.joined(separator: "\n")
        let command = words.map(Self.quoted)
        let settings = taskVariables.map { Self.quoted("\($0)=\($1)") }
        return """
            #!/bin/sh
            # A run of Onepoint. Written by its agent; started, perhaps more than once, by the centre's engine.
            \(assignments)

            too_long=\(isTooLong ? "yes" : "")
            # Becomes the user's program; the caller's words are variables too, and count most.
            become() {
                exec env -- \(settings.joined(separator: " \\\n        ")) "$@" \\
                    \(command.joined(separator: " "))
            }

            \(Self.body)
            """
    }

    /// Whether a Linux system refuses to start it: one word of 128 KiB or, by its usual stack, 2 MiB in all.
    ///
    /// > Source: `execve(2)`, limits on size of arguments and environment. A part is left to what the node adds.
    private var isTooLong: Bool {
        let sizes = order.command.map(\.utf8.count) + taskVariables.map { $0.utf8.count + $1.utf8.count + 1 }
        return sizes.contains { $0 >= 128 << 10 } || sizes.reduce(0, +) > 1900 << 10
    }

    /// What the contract of algorithms promises, but for a task's place in its gang. The centre's own variables stay
    /// below them: on a supercomputer they lead to its compilers and libraries.
    private var taskVariables: [(String, String)] {
        let threads = String(max(1, order.resources.cores.count / 1000))
        var all = [
            "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads,
            "PYTHONUNBUFFERED": "1",
        ]
        all.merge(order.environment) { _, theirs in theirs }
        all.merge([
            "ONEPOINT_INPUTS": order.inputsFolder, "ONEPOINT_OUTPUTS": order.outputsFolder,
            "ONEPOINT_PARAMETERS": folder.file("parameters.json"), "ONEPOINT_JOB": order.run.job.description,
            "ONEPOINT_RUN": order.run.description, "ONEPOINT_CORES": "\(order.resources.cores)",
        ]) { _, ours in ours }
        if let algorithm = order.algorithmFolder { all["ONEPOINT_ALGORITHM"] = algorithm }
        return all.sorted { $0.key < $1.key }
    }

    /// One word of shell, whatever is in it.
    static func quoted(_ text: String) -> String { "'\(text.replacingBytes("'", by: "'\\''"))'" }

    /// The detail of a record whose script was told to end by its engine, which alone knows why.
    static let stoppedByEngine = "its engine asked it to stop"

    /// What is the same for every run.
    private static let body = #"""
        set -u
        umask 022
        script=$dir/script
        suffix='' part=0 cause='' children='' ranks='' killer='' patience_more=0 self=$$

        now_ms() {
            time=$(date +%s%3N)
            case $time in *[!0-9]*) time=$(date +%s)000 ;; esac
            echo "$time"
        }
        id=$(uname -n).$$.$(now_ms)
        say() { printf 'onepoint: %s\n' "$1" >> "$dir/log.$part"; }

        # Puts a file there, whole and durable, unless there is one. The name of the temporary one tells whose it is.
        publish() {
            cat > "$dir/.$1.$id" && { sync "$dir/.$1.$id" 2> /dev/null || sync; } && ln "$dir/.$1.$id" "$dir/$1" 2> /dev/null \
                || cmp -s "$dir/.$1.$id" "$dir/$1"
            published=$?
            rm -f "$dir/.$1.$id"
            sync "$dir" 2> /dev/null
            return $published
        }

        # How it ended: kind, code, detail. The first word counts; a disk that refuses is waited for, up to an hour.
        ended() {
            tries=0 started=$(field started_ms "$dir/started$suffix" 2> /dev/null)
            until printf 'kind %s\ncode %d\nstarted_ms %s\nended_ms %s\ndetail %s\n' "$1" "$2" "${started:-0}" "$(now_ms)" "$3" \
                | publish "exit$suffix" || [ -e "$dir/exit$suffix" ] || [ ! -d "$dir" ] || [ $tries -ge 3600 ]; do
                tries=$((tries + 1))
                sleep 1
            done
        }

        # One start for ever, and none of an older run than one that was here.
        claim() {
            if ! printf 'started %s\n' "$id" | publish "claim$suffix"; then
                [ -e "$dir/claim$suffix" ] || { echo "onepoint: $dir cannot be written" >&2; exit 74; }
                printf '%s %s\n' "$(now_ms)" "$id" >> "$dir/twins"
                echo "onepoint: $run was started or cancelled before; this start of it does nothing"
                exit 0
            fi
            [ "$number" -eq 1 ] || mkdir -p "$root/fences/$job/$number"
            for mark in "$root/fences/$job"/*; do
                other=${mark##*/}
                case $other in '' | *[!0-9]*) continue ;; esac
                [ "$other" -gt "$number" ] || continue
                ended lost 0 "a newer run of this job was claimed here"
                exit 0
            done
        }

        # Ends all processes of a task on this node, wherever they hide.
        sweep() {
            for place in /proc/[0-9]*; do
                grep -qszxF "ONEPOINT_TASK=$run/$1" "$place/environ" && kill -KILL "${place#/proc/}" 2> /dev/null
            done
            return 0
        }

        # Begins to end what runs: politely, and after the grace for good. The first cause counts.
        halt() {
            [ -n "$cause" ] && return
            cause=$1
            for child in $children; do kill -TERM -- "-$child" 2> /dev/null || kill -TERM "$child" 2> /dev/null; done
            (
                sleep $(($(patience) + patience_more))
                for rank in $ranks; do sweep "$rank"; done
            ) > /dev/null 2>&1 < /dev/null &
            killer=$!
        }
        asked() { if [ -e "$dir/cancel" ]; then halt cancelled; elif [ -e "$dir/failed" ]; then halt failed; else halt engine; fi; }
        patience() {
            seconds=$grace
            [ -e "$dir/cancel" ] && seconds=$(cat "$dir/cancel")
            echo "$seconds"
        }

        # Returns a child's status, however often signals come between.
        await() {
            while :; do
                wait "$1"
                status=$?
                kill -0 "$1" 2> /dev/null || return $status
            done
        }

        # When a process was started, in ticks since boot; nothing when it is none or a zombie. Numbers come again.
        birth() {
            read -r stat 2> /dev/null < "/proc/$1/stat" || return 0
            set -- ${stat##*) }
            [ "$1" = Z ] || echo "${20}"
        }

        # Whether the run is neither over nor forgotten.
        goes_on() { [ -e "$dir/claim$suffix" ] && [ ! -e "$dir/exit$suffix" ]; }
        has_main() { [ "$(birth "$self")" = "$born" ]; }

        # Tells the main what it cannot see while it waits, shows that the run is alive, and ends what a main that was
        # killed has left on this node, even if the run is over or forgotten by then. Apart from the main's process group,
        # which Ray kills as a whole.
        watch() {
            self=$1 born=$2 suffix=$3 ranks=$4 left=$limit ticks=0 told='' gone=0
            while has_main; do
                goes_on && [ $((ticks % 10)) -eq 0 ] && echo "$ticks" > "$dir/beat$suffix"
                sleep 1
                ticks=$((ticks + 1))
                has_main || break
                # Forgotten, and so over, though this node was not told in time: a claim that is out of sight for another
                # reason takes the folders beside it along.
                gone=$((gone + 1))
                [ -e "$dir/claim$suffix" ] || [ ! -d "${dir%/*}" ] && gone=0
                [ $gone -eq 3 ] && kill -USR1 "$self"
                goes_on || continue
                if [ -z "$told" ] && { [ -e "$dir/cancel" ] || [ -e "$dir/failed" ]; }; then
                    told=yes
                    kill -USR1 "$self"
                fi
                [ -e "$dir/started$suffix" ] && left=$((left - 1))
                [ "$left" -eq 0 ] && kill -USR2 "$self"
            done
            for rank in $ranks; do sweep "$rank"; done
            goes_on && ended node_failure 0 "the process that held its tasks was killed"
        }

        prepare() {
            [ -z "$environment" ] && return
            [ -e "$environment.complete" ] && return
            [ -e "$dir/cancel" ] && return
            exec 9> "$environment.lock"
            until flock -n 9; do
                sleep 1
                [ -n "$cause" ] && return
            done
            if [ ! -e "$environment.complete" ]; then
                say "building the environment"
                rm -rf "$environment"
                setsid sh -c '
                    python3 -I -m venv "$1" && exec "$1/bin/python" -I -m pip --disable-pip-version-check --no-input install \
                        --progress-bar off --no-warn-script-location -r "$2"
                ' onepoint "$environment" "$dir/requirements.txt" > "$dir/prepare.log" 2>&1 9>&- &
                children=$!
                await $children
                built=$?
                children=''
                sed 's/^/onepoint: /' "$dir/prepare.log" >> "$dir/log.$part"
                if [ $built -ne 0 ]; then
                    [ -n "$cause" ] && return
                    ended rejected 0 "its environment could not be built: $(tail -n 6 "$dir/prepare.log" | tr '\n' '|' | cut -c 1-900)"
                    exit 0
                fi
                sync
                : > "$environment.complete"
                say "the environment is ready"
            fi
            exec 9>&-
        }

        # A port of this node that nobody listens on, the same for the same run as long as it is free.
        free_port() {
            port=$((20000 + $(printf %s "$run" | cksum | cut -d ' ' -f 1) % 12000))
            while grep -qis ":$(printf %04X $port) 0*:0000 0A" /proc/net/tcp /proc/net/tcp6; do port=$((port + 1)); done
            echo $port
        }

        # One task: its program in a session of its own, its end beside its log.
        task() {
            rank=$1 part=$1 ranks=$1
            trap 'asked' TERM INT HUP USR1
            read -r address port < "$dir/master$suffix"
            setsid sh "$script" become "$rank" "$2" "$address" "$port" < /dev/null >> "$dir/log.$rank" 2>&1 &
            children=$!
            # A stop that came before there was anything to stop.
            [ -n "$cause" ] && kill -TERM -- "-$children" 2> /dev/null
            await $children
            sweep "$rank"
            [ -n "$killer" ] && kill "$killer" 2> /dev/null
            if [ $status -eq 0 ]; then set -- succeeded 0 ''
            elif [ -e "$dir/refused.$rank" ]; then set -- rejected $status "$(cat "$dir/refused.$rank")"
            elif [ $status -gt 128 ]; then set -- signal $((status - 128)) ''
            else set -- exit $status ''; fi
            [ "$tasks" -gt 1 ] && [ "$1" != rejected ] && set -- "$1" "$2" "task $rank of $tasks"
            printf 'kind %s\ncode %d\ndetail %s\n' "$1" "$2" "$3" | publish "task.$rank"
            [ $status -eq 0 ] || ln "$dir/task.$rank" "$dir/failed" 2> /dev/null
            return $status
        }

        field() { sed -n "s/^$1 //p" "$2"; }

        # The whole run, from its claim to its end.
        main() {
            claim
            trap 'asked' TERM INT HUP USR1
            trap 'halt limit' USR2
            # Not with what is above it, which is gone when the run was forgotten since.
            mkdir "$dir/work" 2> /dev/null
            ranks=$members patience_more=5 born=$(birth "$self")
            setsid sh "$script" watch "$self" "$born" "$suffix" "$ranks" < /dev/null > /dev/null 2>&1 &
            prepare
            if [ -z "$cause" ]; then
                if [ -n "${ONEPOINT_MASTER_ADDR:-}" ]; then address=$ONEPOINT_MASTER_ADDR
                elif [ $# -gt 0 ]; then address=$(uname -n)
                else address=127.0.0.1; fi
                echo "$address ${ONEPOINT_MASTER_PORT:-$(free_port)}" > "$dir/master$suffix"
                printf 'started_ms %s\n' "$(now_ms)" | publish "started$suffix"
                if [ $# -gt 0 ]; then
                    setsid "$@" sh "$script" task < /dev/null &
                    children=$!
                else
                    for rank in $ranks; do
                        # A member's node shows it its own cards only, so that the first of them is its.
                        local_rank=$rank
                        [ -n "$suffix" ] && local_rank=0
                        setsid sh "$script" task "$rank" "$suffix" "$local_rank" < /dev/null &
                        children="$children $!"
                    done
                fi
                [ -n "$cause" ] && for child in $children; do kill -TERM -- "-$child" 2> /dev/null; done
                launched=0
                for child in $children; do
                    await "$child"
                    [ $status -eq 0 ] || launched=$status
                done
            fi
            [ -n "$killer" ] && kill "$killer" 2> /dev/null
            missing=''
            for rank in $ranks; do [ -e "$dir/task.$rank" ] || missing="$missing $rank"; done
            case $cause in
            cancelled) ended cancelled 0 '' ;;
            limit) ended time_limit 0 '' ;;
            engine) ended node_failure 0 "\#(stoppedByEngine)" ;;
            *)
                if [ -e "$dir/failed" ]; then
                    ended "$(field kind "$dir/failed")" "$(field code "$dir/failed")" "$(field detail "$dir/failed")"
                elif [ -z "$missing" ]; then
                    ended succeeded 0 ''
                else
                    # The launcher's own words, where Slurm keeps them.
                    said=$(tail -n 2 "$dir/engine.log" 2> /dev/null | tr '\n' ' ' | cut -c 1-400)
                    ended node_failure 0 "its tasks$missing could not be started or were killed (status $launched)${said:+: $said}"
                fi
                ;;
            esac
        }

        case ${1:-} in
        main)
            shift
            members='' rank=0
            while [ $rank -lt "$tasks" ]; do members="$members $rank" rank=$((rank + 1)); done
            main "$@"
            ;;
        member)
            suffix=.$2 part=$2 members=$2
            main
            ;;
        task)
            rank=${2:-${SLURM_PROCID:-${PMIX_RANK:-${PMI_RANK:-0}}}}
            suffix=${3:-}
            task "$rank" "${4:-${SLURM_LOCALID:-0}}"
            ;;
        watch)
            shift
            watch "$@"
            ;;
        become)
            cd "$dir/work" || { echo "its work folder cannot be entered" > "$dir/refused.$2"; exit 127; }
            if [ -n "$environment" ]; then
                PATH=$environment/bin:$PATH VIRTUAL_ENV=$environment
                export PATH VIRTUAL_ENV
            fi
            TMPDIR=${TMPDIR:-/tmp}
            export TMPDIR
            refuse() {
                echo "$1" > "$dir/refused.$rank"
                exit 127
            }
            rank=$2
            [ -z "$too_long" ] || refuse "its arguments and environment are too long for this system"
            case $program in
            */*) [ -x "$program" ] && [ ! -d "$program" ] || refuse "the program '$program' does not exist or is not executable" ;;
            *) command -v -- "$program" > /dev/null || refuse "the program '$program' was not found in PATH" ;;
            esac
            become "HOME=$dir/work" "RANK=$2" "LOCAL_RANK=$3" "WORLD_SIZE=$tasks" "MASTER_ADDR=$4" "MASTER_PORT=$5" "ONEPOINT_TASK=$run/$2"
            ;;
        *)
            echo "usage: sh script main [LAUNCHER...] | task [RANK] | member RANK" >&2
            exit 64
            ;;
        esac

        """#
}

extension String {
    /// Byte by byte, for what people write need not be composed of whole characters.
    func replacingBytes(_ mark: String, by value: String) -> String {
        let (mark, bytes) = (Array(mark.utf8), Array(utf8))
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at...].starts(with: mark) {
                out += value.utf8
                at += mark.count
            } else {
                out.append(bytes[at])
                at += 1
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
