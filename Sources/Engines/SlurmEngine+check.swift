internal import Core

extension SlurmEngine {
    /// How long a node may take to run the job of the check.
    private static let probeMax = Duration.seconds(30)

    /// Asks the cluster what it is, and sends it a job of a second that leaves its word on the shared folder: that shows
    /// the rights, the folder and the nodes' clocks at once.
    public func check() async -> [EngineCheck] {
        let offer = await capacityCheck()
        guard offer.verdict != .failed else { return [offer, folderCheck()] }
        let probe = await probe()
        // A node that wrote there has seen it.
        return probe.verdict == .passed ? [offer, probe] : [offer, folderCheck(), probe]
    }

    private func folderCheck() -> EngineCheck {
        let type = Self.fileSystem(of: Disk.resolved(runs.root) ?? runs.root)
        guard let type, ["ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay"].contains(type) else {
            return EngineCheck(
                "shared folder",
                .passed,
                "\(runs.root) is on \(type ?? "a file system") that nodes can share"
            )
        }
        return EngineCheck(
            "shared folder",
            .doubtful,
            "\(runs.root) is on \(type), a file system of this machine: unless it is exported to the nodes at the same path, "
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

    private func probe() async -> EngineCheck {
        let name = "onepoint-check-\(Machine.now().milliseconds)"
        let folder = "\(runs.root)/\(name)"
        let subject = "a job"
        defer { Disk.remove(folder) }
        do throws(EngineError) {
            try await blocking { () throws(EngineError) in
                do throws(Disk.Fault) { try Disk.makeFolder(folder) } catch {
                    throw .unreachable("The folder \(folder) cannot be made: \(error.sentence).")
                }
            }
            let word = "\(folder)/word"
            let submission = SlurmSubmission(
                name: name,
                script: "#!/bin/sh\ndate +%s > \(RunScript.quoted(word)).new && mv \(RunScript.quoted(word)).new "
                    + "\(RunScript.quoted(word))\n",
                tasks: 1,
                coresPerTask: 1,
                mebibytesPerCore: 64,
                cardsPerTask: nil,
                minutes: 1,
                folder: folder,
                partition: configuration.partition,
                account: configuration.account
            )
            let id = try await access.submit(submission)
            guard try await access.release(id) else {
                return EngineCheck(subject, .failed, "Slurm took job \(id) and then did not know it.")
            }
            let found = await wait(for: word)
            if found == nil { try await access.cancel(id) }
            guard let found else {
                return EngineCheck(
                    subject,
                    .doubtful,
                    "Slurm took job \(id), and left no word on the shared folder within \(Self.probeMax.components.seconds) s: "
                        + "either no node was free, or nodes do not see \(runs.root). `squeue` and the node's log tell which."
                )
            }
            let skew = found - Machine.now().milliseconds / 1000
            if abs(skew) > 30 {
                return EngineCheck(
                    subject,
                    .doubtful,
                    "ran, but its node's clock is \(abs(skew)) s \(skew > 0 ? "ahead" : "behind"): let NTP set it"
                )
            }
            return EngineCheck(subject, .passed, "was taken, ran, and wrote on the shared folder")
        } catch {
            return EngineCheck(subject, .failed, error.sentence)
        }
    }

    /// The seconds that the job wrote down; `nil` when it did not in time.
    private func wait(for word: String) async -> Int64? {
        let end = ContinuousClock.now + Self.probeMax
        while ContinuousClock.now < end, !Task.isCancelled {
            if let bytes = Disk.read(word, bytesMax: 32) {
                return Int64(String(decoding: bytes, as: UTF8.self).filter(\.isNumber))
            }
            try? await Task.sleep(for: .milliseconds(200))
        }
        return nil
    }
}
