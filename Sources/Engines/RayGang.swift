internal import Core

/// What Ray is told to execute for a run.
enum RayGang {
    /// How long Ray waits between its polite and its hard signal. Long, because our own script keeps the grace.
    static let stopWaitSeconds = 30

    /// Starts a run's script without what lets it speak to Ray in our name.
    static func start(_ words: String) -> String {
        "unset RAY_AUTH_TOKEN RAY_AUTH_TOKEN_PATH RAY_JOB_CONFIG_JSON_ENV_VAR; exec /bin/sh \(words)"
    }

    /// Sets `p` to the Python that runs Ray on the node where the shell runs: its parent is Ray's own worker, whose maps
    /// name Ray's library. `python3` is taken where that does not show.
    static let findPython = #"""
        p=$(sed -n 's|.* \(/.*\)/lib/python[0-9.]*/site-packages/ray/_raylet.*|\1/bin/python3|p' /proc/$PPID/maps \
        | head -n 1); [ -x "$p" ] || p=python3
        """#

    /// The program of a gang's driver. It is told as JSON in its first argument: how many tasks, what each asks for, and
    /// the command of each, which the rank follows. All are placed at once or none, by a placement group. The scripts
    /// end each other when one fails; the driver ends them when it is stopped, or when Ray loses one.
    static let program = #"""
        import ctypes, json, os, signal, socket, subprocess, sys
        import ray
        from ray.util.placement_group import placement_group
        from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

        plan = json.loads(sys.argv[1])
        tasks, request = plan["tasks"], dict(plan["request"])
        stopping = []
        signal.signal(signal.SIGTERM, lambda number, frame: stopping.append(number))

        ray.init(address="auto", log_to_driver=False, configure_logging=False)


        @ray.remote(max_restarts=0, max_concurrency=4)
        class Task:
            def place(self):
                with socket.socket() as probe:
                    probe.bind(("", 0))
                    return ray.util.get_node_ip_address(), probe.getsockname()[1]

            def run(self, command, rank, variables):
                libc = ctypes.CDLL(None, use_errno=True)
                # Dies with this worker, and so with the driver, whatever happens to Ray.
                self.process = subprocess.Popen(
                    [*command, str(rank)],
                    env={**os.environ, **variables},
                    start_new_session=True,
                    preexec_fn=lambda: libc.prctl(1, signal.SIGKILL),
                    stdin=subprocess.DEVNULL,
                )
                return self.process.wait()

            def signal(self, number):
                process = getattr(self, "process", None)
                if process and process.poll() is None:
                    os.kill(process.pid, number)


        group = placement_group([request] * tasks, strategy="PACK")
        while True:
            if stopping:
                sys.exit(143)
            if ray.wait([group.ready()], timeout=0.5)[0]:
                break
        options = {"num_cpus": request.pop("CPU", 0), "num_gpus": request.pop("GPU", 0), "memory": request.pop("memory", None)}
        actors = [
            Task.options(
                resources=request,
                scheduling_strategy=PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=rank),
                **options,
            ).remote()
            for rank in range(tasks)
        ]
        address, port = ray.get(actors[0].place.remote())
        runs = {}
        for rank, actor in enumerate(actors):
            variables = {"ONEPOINT_MASTER_ADDR": address, "ONEPOINT_MASTER_PORT": str(port)}
            runs[actor.run.remote(plan["command"], rank, variables)] = rank
        status, told = 0, False
        while runs:
            done, _ = ray.wait(list(runs), timeout=0.5)
            for one in done:
                del runs[one]
                try:
                    ray.get(one)
                except ray.exceptions.RayError as error:
                    print(f"a task was lost: {error}", file=sys.stderr)
                    status = 70
            if runs and (status or stopping) and not told:
                told = True
                for actor in actors:
                    actor.signal.remote(signal.SIGTERM)
        sys.exit(status)
        """#
}
