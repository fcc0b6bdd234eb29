internal import Core

/// What a pod of a gang does before its script: it finds its rank, tells the others where it is, and waits until all are
/// there, so that a gang starts whole or not at all. Kubernetes' own scheduler places pods one by one.
enum KubernetesGang {
    /// Text of `/bin/sh`.
    static func text(_ order: EngineOrder, folder: String, script: String) -> String {
        """
        run=\(RunScript.quoted(order.run.description))
        dir=\(RunScript.quoted(folder))
        script=\(RunScript.quoted(script))
        tasks=\(order.tasks)
        \(body)
        """
    }

    private static let body = #"""
        me=$(uname -n).$$
        mine=$dir/.member.$me
        # In an indexed Job the rank is given; else the first link wins it.
        rank=${JOB_COMPLETION_INDEX:-}
        echo "$me" > "$mine"
        i=0
        while [ -z "$rank" ] && [ "$i" -lt "$tasks" ]; do
            ln "$mine" "$dir/rank.$i" 2> /dev/null && rank=$i
            i=$((i + 1))
        done
        if [ -z "$rank" ]; then
            rm -f "$mine"
            echo "onepoint: all $tasks ranks of $run are taken; this start of it does nothing"
            exit 0
        fi
        if [ "$rank" = 0 ]; then
            if [ -n "${JOB_COMPLETION_INDEX:-}" ]; then address=$run-0.$run
            else address=$(hostname -i 2> /dev/null | sed 's/ .*//'); fi
            echo "${address:-127.0.0.1}" > "$mine" && mv "$mine" "$dir/address"
        fi
        rm -f "$mine"
        : > "$dir/ready.$rank"

        all_ready() {
            i=0
            while [ "$i" -lt "$tasks" ]; do
                [ -e "$dir/ready.$i" ] || return 1
                i=$((i + 1))
            done
        }
        trap 'exit 0' TERM INT
        until all_ready; do
            # The script says what became of it.
            if [ -e "$dir/cancel" ] || [ -e "$dir/failed" ] || [ -e "$dir/exit" ] || [ ! -d "$dir" ]; then break; fi
            sleep 1 &
            wait $!
        done
        trap - TERM INT
        ONEPOINT_MASTER_ADDR=$(cat "$dir/address" 2> /dev/null)
        ONEPOINT_MASTER_PORT=$((20000 + $(printf %s "$run" | cksum | cut -d ' ' -f 1) % 12000))
        export ONEPOINT_MASTER_ADDR ONEPOINT_MASTER_PORT
        exec /bin/sh "$script" member "$rank"
        """#
}
