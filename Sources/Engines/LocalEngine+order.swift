internal import CSupervise
internal import Core
internal import Synchronization

extension LocalEngine {
    private static let systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

    /// Translates an order into what the supervisor reads, or says why this machine will never run it.
    func supervisorOrder(_ order: EngineOrder) throws(EngineError) -> [UInt8] {
        try check(order)
        let run = folder(order.run)
        let isSandboxed = try sandboxed(order.isolation)
        let environment = try pythonEnvironment(order)

        var text = SupervisorOrder()
        text.add("run", order.run.description)
        text.add("job", order.run.job.description)
        text.add("number", order.run.number)
        text.add("root", configuration.root)
        text.add("work", run.file("work"))
        text.add("temporary", run.file("tmp"))
        text.add("tasks", order.tasks)
        text.add("limit_ms", max(1, order.timeLimitSeconds) * 1000)
        text.add("grace_ms", max(0, configuration.stopGrace.milliseconds))
        text.add("memory", order.resources.memory.count)
        text.add("milli_cores", order.resources.cores.count)
        text.add("x-cards", order.resources.cards)
        if let card = order.nodes.first?.card ?? order.resources.card { text.add("x-card", card) }
        text.add("x-emulated", order.nodes.first?.emulated == true ? "1" : "0")
        text.add("x-sandbox", isSandboxed ? "1" : "0")
        for word in order.command {
            text.add("arg", word.replacingBytes("{algorithm}", by: order.algorithmFolder ?? "{algorithm}"))
        }
        for (name, value) in variables(order, sandboxed: isSandboxed, environment: environment?.made) {
            text.add("env", "\(name)=\(value)")
        }
        text.add("file", "parameters.json")
        text.add("text", order.parameters)
        for path in [order.inputsFolder, order.outputsFolder] + (order.algorithmFolder.map { [$0] } ?? []) {
            text.add("need", path)
        }
        if let environment {
            text.add("file", "requirements.txt")
            text.add("text", environment.requirements)
            text.add("prepare_done", environment.made.complete)
            text.add("prepare_lock", environment.made.lock)
            let command = environment.made.command(
                interpreter: environment.interpreter,
                requirementsFile: run.file("requirements.txt")
            )
            for word in command { text.add("prepare", word) }
        }
        if isSandboxed, let sandbox {
            var readable = [order.inputsFolder, run.file("parameters.json")]
            readable += linkTargets(in: order.inputsFolder)
            if let folder = order.algorithmFolder { readable.append(folder) }
            if let environment {
                readable.append(environment.made.folder)
                let prefix = environment.interpreter.prefix
                if !prefix.hasPrefix("/usr"), !prefix.hasPrefix("/opt") { readable.append(prefix) }
            }
            let folders = Sandbox.Folders(
                temporary: run.file("tmp"),
                readable: readable,
                writable: [run.file("work"), order.outputsFolder]
            )
            for word in sandbox.arguments(folders) { text.add("box", word) }
        }
        return text.finished
    }

    /// Everything wrong with an order at once.
    private func check(_ order: EngineOrder) throws(EngineError) {
        var faults: [String] = []
        if order.command.isEmpty || order.command[0].isEmpty { faults.append("it has no program") }
        let texts = order.command + order.environment.keys + order.environment.values + [order.parameters]
        if texts.contains(where: { $0.utf8.contains(0) }) {
            faults.append("its command, environment and parameters may hold any byte but NUL")
        }
        if order.environment.keys.contains(where: { $0.isEmpty || $0.utf8.contains(UInt8(ascii: "=")) }) {
            faults.append("names of variables may be neither empty nor hold '='")
        }
        if !(1...Self.tasksMax).contains(order.tasks) {
            faults.append("it has \(order.tasks) tasks, not 1 to \(Self.tasksMax)")
        }
        for share in order.nodes where share.node != node.name {
            faults.append("it is placed on the node '\(share.node)'; this engine has only '\(node.name)'")
        }
        for folder in [order.inputsFolder, order.outputsFolder, order.algorithmFolder ?? "/"]
        where !folder.hasPrefix("/") || folder.utf8.contains(0) {
            faults.append("the folder '\(folder)' is not an absolute path")
        }
        let tasks = max(1, min(order.tasks, Self.tasksMax))
        if order.resources.cores.count < 0 || order.resources.memory.count < 0 || order.resources.cards < 0 {
            faults.append("its resources are negative")
        }
        if order.resources.cores.count > node.cores.count / Int64(tasks) {
            faults.append("it needs \(tasks) × \(order.resources.cores) cores; this node has \(node.cores)")
        }
        if order.resources.memory.count > node.memory.count / Int64(tasks) {
            faults.append("it needs \(tasks) × \(order.resources.memory) of memory; this node has \(node.memory)")
        }
        let wanted = order.resources.cards
        let model = order.nodes.first?.card ?? order.resources.card
        let emulated = order.nodes.first?.emulated == true
        if wanted > 0, wanted <= 1 << 16,
            PhysicalCard.choose(wanted * tasks, of: cards, free: { _ in true }, model: model, emulated: emulated) == nil
        {
            let kind = (emulated ? "emulated " : "") + (model ?? "")
            faults.append("it needs \(tasks) × \(wanted) \(kind) cards, which this node does not have")
        }
        if let path = order.requirements, !TreeManifest.isSafe(path: path) || order.algorithmFolder == nil {
            faults.append("its requirements file '\(path)' is not a path inside an algorithm's folder")
        }
        guard faults.isEmpty else {
            throw .refused("The run \(order.run) is refused: \(faults.joined(separator: "; ")).")
        }
    }

    private func sandboxed(_ isolation: Isolation) throws(EngineError) -> Bool {
        switch isolation {
        case .auto: return sandbox != nil
        case .none: return false
        case .required:
            guard sandbox != nil else {
                throw .refused(
                    "The job asks for isolation, which this machine cannot give. Install bubblewrap and allow user "
                        + "namespaces, or submit it with 'isolation: auto'."
                )
            }
            return true
        }
    }

    private func pythonEnvironment(
        _ order: EngineOrder
    ) throws(EngineError) -> (made: PythonEnvironment, interpreter: Interpreter, requirements: String)? {
        guard let path = order.requirements, let folder = order.algorithmFolder else { return nil }
        let text = try PythonEnvironment.requirements(at: "\(folder)/\(path)", named: path)
        guard let interpreter = findInterpreter() else {
            throw .refused("This machine has no Python that can make environments; install python3 and python3-venv.")
        }
        return (
            PythonEnvironment(requirements: text, interpreter: interpreter, below: configuration.root), interpreter,
            text
        )
    }

    private func findInterpreter() -> Interpreter? {
        if let known = state.withLock({ $0.interpreter }) { return known }
        let found = Interpreter.find(configured: configuration.python)
        state.withLock { $0.interpreter = .some(found) }
        return found
    }

    /// The task's whole environment, but for its place in the gang and its cards. What the engine promises comes last
    /// and cannot be overridden; the rest can.
    private func variables(
        _ order: EngineOrder,
        sandboxed: Bool,
        environment: PythonEnvironment?
    ) -> [(String, String)] {
        let run = folder(order.run)
        let threads = String(max(1, order.resources.cores.count / 1000))
        var all = [
            "PATH": Self.systemPath, "LANG": "C.UTF-8", "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads, "PYTHONUNBUFFERED": "1", "SHELL": "/bin/sh",
        ]
        all.merge(order.environment) { _, theirs in theirs }
        all.merge([
            "ONEPOINT_INPUTS": order.inputsFolder, "ONEPOINT_OUTPUTS": order.outputsFolder,
            "ONEPOINT_PARAMETERS": run.file("parameters.json"), "ONEPOINT_JOB": order.run.job.description,
            "ONEPOINT_RUN": order.run.description, "ONEPOINT_CORES": "\(order.resources.cores)",
            "TMPDIR": sandboxed ? "/tmp" : run.file("tmp"),
        ]) { _, ours in ours }
        if let folder = order.algorithmFolder { all["ONEPOINT_ALGORITHM"] = folder }
        if order.resources.cards == 0 {
            let present = Set(cards.filter { !$0.emulated }.map(\.vendor))
            for (name, value) in PhysicalCard.environment([], present: present) { all[name] = value }
        }
        if let environment {
            all["VIRTUAL_ENV"] = environment.folder
            all["PATH"] = "\(environment.folder)/bin:\(all["PATH"] ?? Self.systemPath)"
        }
        return all.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    /// Where the links in an inputs folder lead that leave it: those places are shown to the run too.
    private func linkTargets(in folder: String, depth: Int = 2, countMax: Int = 1024) -> [String] {
        var targets: [String] = []
        for name in (Disk.names(in: folder, hidden: true) ?? []).prefix(countMax) {
            let path = "\(folder)/\(name)"
            if let target = Disk.link(path) {
                let place = target.hasPrefix("/") ? target : Disk.resolved("\(folder)/\(target)")
                if let place, Disk.exists(place), !place.hasPrefix(folder + "/") { targets.append(place) }
            } else if depth > 1, Disk.isFolder(path) {
                targets += linkTargets(in: path, depth: depth - 1, countMax: countMax)
            }
        }
        return Array(targets.prefix(countMax))
    }
}
