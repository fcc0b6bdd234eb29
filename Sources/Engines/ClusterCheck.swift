internal import Core

extension SlurmEngine {
    public func check() async -> [EngineCheck] { await clusterCheck(root: runs.root) }
}

extension RayEngine {
    public func check() async -> [EngineCheck] { await clusterCheck(root: configuration.folder) }
}

extension KubernetesEngine {
    public func check() async -> [EngineCheck] { await clusterCheck(root: configuration.folder) }
}

extension Engine {
    /// Asks the cluster what it is, and sends it a run that tells the time: that shows the rights, the shared folder and
    /// the nodes' clocks at once.
    ///
    /// - Parameter root: The folder that its nodes share with us.
    fileprivate func clusterCheck(root: String) async -> [EngineCheck] {
        let offer = await capacityCheck()
        guard offer.verdict != .failed else { return [offer, Self.folderCheck(root)] }
        let probe = await probe(root)
        // A node that wrote there has seen it.
        return probe.verdict == .passed ? [offer, probe] : [offer, Self.folderCheck(root), probe]
    }

    private static func folderCheck(_ root: String) -> EngineCheck {
        let type = fileSystem(of: Disk.resolved(root) ?? root)
        guard let type, ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay"].contains(type) else {
            return EngineCheck(
                "shared folder",
                .passed,
                "\(root) is on \(type ?? "a file system") that nodes can share"
            )
        }
        return EngineCheck(
            "shared folder",
            .doubtful,
            "\(root) is on \(type), a file system of this machine: unless it is exported to the nodes at the same path, "
                + "choose a shared one with --data"
        )
    }

    /// The type of the file system that a path is on.
    ///
    /// > Source: proc(5), /proc/[pid]/mounts: device, mount point, type.
    private static func fileSystem(of path: String) -> String? {
        let mounts = String(decoding: Disk.read("/proc/self/mounts", bytesMax: 1 << 20) ?? [], as: UTF8.self)
        let fitting = mounts.split(separator: "\n").compactMap { line -> (point: Substring, type: Substring)? in
            let fields = line.split(separator: " ")
            guard fields.count > 2, path == fields[1] || fields[1] == "/" || path.hasPrefix(fields[1] + "/") else {
                return nil
            }
            return (fields[1], fields[2])
        }
        // Of those mounted on one point the last is seen.
        return fitting.reversed().max { $0.point.utf8.count < $1.point.utf8.count }.map { String($0.type) }
    }

    private func probe(_ root: String) async -> EngineCheck {
        let subject = "a job"
        var random = SystemRandomNumberGenerator()
        let run = RunKey(job: JobID(now: Machine.now(), using: &random), number: 1)
        let order = EngineOrder(
            run: run,
            command: ["/bin/date", "+%s"],
            environment: [:],
            tasks: 1,
            resources: TaskResources(cores: .cores(1), memory: .mebi(64)),
            nodes: [],
            timeLimitSeconds: 60,
            isolation: .none,
            algorithmFolder: nil,
            requirements: nil,
            inputsFolder: root,
            outputsFolder: root,
            parameters: "{}"
        )
        do throws(EngineError) {
            let name = try await submit(order)
            try await release(run)
            let (outcome, state) = try await end(of: run)
            guard let outcome else {
                try await cancel(run, grace: .zero)
                return EngineCheck(
                    subject,
                    .doubtful,
                    "\(name) was taken, and left no word in \(root) within \(probeMax.components.seconds) s\(state): either no "
                        + "node is free, or nodes do not see that folder. The cluster's own tools and the node's log tell which."
                )
            }
            let text = String(decoding: try await logs(run, task: 0, from: 0, countMax: 64), as: UTF8.self)
            try await forget(run)
            guard outcome.kind == .succeeded, let then = Int64(text.filter(\.isNumber)) else {
                return EngineCheck(
                    subject,
                    .failed,
                    "\(name) was taken and \(outcome.summary)\(text.isEmpty ? "" : ": \(text)")"
                )
            }
            let skew = then - Machine.now().milliseconds / 1000
            return abs(skew) > 30
                ? EngineCheck(
                    subject,
                    .doubtful,
                    "ran, but its node's clock is \(abs(skew)) s \(skew > 0 ? "ahead" : "behind"): let NTP set it"
                ) : EngineCheck(subject, .passed, "was taken, ran, and wrote on the shared folder")
        } catch {
            return EngineCheck(subject, .failed, error.sentence)
        }
    }

    /// How it ended; else in what state it was last seen.
    private func end(of run: RunKey) async throws(EngineError) -> (RunOutcome?, String) {
        let deadline = ContinuousClock.now + probeMax
        var state = ""
        while ContinuousClock.now < deadline, !Task.isCancelled {
            switch try await list().first(where: { $0.run == run })?.state {
            case .ended(let outcome, _, _)?: return (outcome, "")
            case .pending(let why?)?: state = " (\(why))"
            default: break
            }
            try? await Task.sleep(for: .milliseconds(250))
        }
        return (nil, state)
    }
}

/// How long a node may take to run the job of the check.
private let probeMax = Duration.seconds(60)
