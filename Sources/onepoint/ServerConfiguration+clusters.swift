import Core
import Engines
import Logging
import Wire

extension ServerConfiguration {
    /// The cluster that a centre schedules with instead of processes of this machine.
    enum Cluster: Sendable {
        case slurm(SlurmEngine.Configuration)
        case ray(RayCluster)
        case kubernetes(KubernetesCluster)

        /// - Parameter folder: The engine's own; every node of the cluster must see it at the same path.
        func engine(centre: CentreName, folder: String, log: Logger) async throws -> any Engine {
            switch self {
            case .slurm(let slurm): try await SlurmEngine(slurm, sharedFolder: folder, log: log)
            case .ray(let ray): try await RayEngine(ray.configuration(folder: folder), log: log)
            case .kubernetes(let kubernetes):
                try await KubernetesEngine(kubernetes.configuration(centre: centre, folder: folder), log: log)
            }
        }
    }

    struct RayCluster: Sendable {
        var address = ""
        var tokenFile: String?
        var cardAliases: [String: String] = [:]
        var emulatesCards = false

        func configuration(folder: String) throws -> RayEngine.Configuration {
            RayEngine.Configuration(
                address: address,
                tokenFile: try tokenFile.map { try absolute($0) },
                folder: folder,
                cardAliases: cardAliases,
                emulatesCards: emulatesCards
            )
        }
    }

    struct KubernetesCluster: Sendable {
        /// `nil` for the service account of the pod that this process is.
        var kubeconfig: String?
        var context: String?
        var namespace: String?
        var image = ""
        var volumeClaim: String?
        var queue: String?
        var cardAliases: [String: String] = [:]
        var emulatesCards = false
        var callsPerMinute = 1200

        /// - Parameter folder: The engine's own, inside the agent's; of that pods see what runs need and no more.
        func configuration(centre: CentreName, folder: String) throws -> KubernetesEngine.Configuration {
            var access = try access()
            access.namespace = namespace ?? access.namespace
            return KubernetesEngine.Configuration(
                access: access,
                centre: "\(centre)",
                image: image,
                folder: folder,
                mount: Self.parent(of: folder),
                // The agent's key stands beside these.
                shares: ["engine", "staging", "algorithms", "cache"],
                claim: volumeClaim,
                queue: queue,
                cardAliases: cardAliases,
                emulatesCards: emulatesCards,
                callsPerMinute: callsPerMinute
            )
        }

        private func access() throws -> KubernetesAccess {
            guard let kubeconfig else { return try KubernetesAccess.inCluster() }
            let path = try absolute(kubeconfig)
            return try KubernetesAccess.kubeconfig(
                try ServerConfiguration.load(path) { ($0, []) },
                folder: Self.parent(of: path),
                context: context
            )
        }

        private static func parent(of path: String) -> String {
            "/" + path.split(separator: "/").dropLast().joined(separator: "/")
        }
    }

    /// Reads the section of a centre's cluster, where it has one.
    static func cluster(_ fields: inout Fields) -> Cluster? {
        let found = [
            section("slurm", of: &fields) { .slurm(slurm(&$0)) }, section("ray", of: &fields) { .ray(ray(&$0)) },
            section("kubernetes", of: &fields) { .kubernetes(kubernetes(&$0)) },
        ].compactMap { $0 }
        if found.count > 1 { fields.fault("", "names \(found.count) clusters; a centre schedules with one") }
        return found.first
    }

    /// Reads the section of a cluster from a file of its own, for an agent; `nil` when the file says nothing.
    static func loadCluster(_ path: String) throws -> Cluster? {
        try load(path) { json in
            var fields = Fields(json, pointer: "")
            let found = cluster(&fields)
            if found == nil, json != .null {
                fields.fault("", "needs a section slurm, ray or kubernetes: the centre's cluster")
            }
            return (found, fields.finish())
        }
    }

    private static func section(
        _ name: String,
        of fields: inout Fields,
        _ read: (inout Fields) -> Cluster
    ) -> Cluster? {
        guard let json = fields.object(name) else { return nil }
        var section = Fields(json, pointer: "\(fields.pointer)/\(name)")
        let cluster = read(&section)
        fields.violations += section.finish()
        return cluster
    }

    private static func slurm(_ fields: inout Fields) -> SlurmEngine.Configuration {
        var slurm = SlurmEngine.Configuration()
        if let json = fields.object("rest") {
            var section = Fields(json, pointer: fields.pointer + "/rest")
            slurm.service = service(&section)
            fields.violations += section.finish()
        }
        slurm.configFile = fields.string("config_file")
        if slurm.configFile?.hasPrefix("/") == false { fields.fault("/config_file", "must be an absolute path") }
        slurm.partition = fields.string("partition")
        slurm.account = fields.string("account")
        slurm.cardAliases = cardAliases(&fields)
        if let calls = fields.integer("calls_per_minute", in: 1...60_000) { slurm.callsPerMinute = Int(calls) }
        return slurm
    }

    private static func service(_ fields: inout Fields) -> SlurmEngine.Configuration.Service? {
        let address = fields.string("address") ?? ""
        if !["http://", "https://", "unix:/"].contains(where: address.hasPrefix) {
            fields.fault("/address", "must be http://HOST:PORT, or unix: and the absolute path of a socket")
        }
        let tokenFile = fields.string("token_file") ?? ""
        if !tokenFile.hasPrefix("/") { fields.fault("/token_file", "must be the absolute path of a file with a token") }
        let user = fields.string("user") ?? ""
        if user.isEmpty { fields.fault("/user", "is needed: whose token it is") }
        return .init(address: address, user: user, tokenFile: tokenFile)
    }

    private static func ray(_ fields: inout Fields) -> RayCluster {
        var ray = RayCluster()
        ray.address = fields.string("address") ?? ""
        if !ray.address.hasPrefix("http://"), !ray.address.hasPrefix("https://") {
            fields.fault("/address", "is needed: the address of the head's dashboard, such as http://head:8265")
        }
        ray.tokenFile = fields.string("token_file")
        ray.cardAliases = cardAliases(&fields)
        ray.emulatesCards = fields.flag("cards_are_emulated") ?? false
        return ray
    }

    private static func kubernetes(_ fields: inout Fields) -> KubernetesCluster {
        var kubernetes = KubernetesCluster()
        kubernetes.kubeconfig = fields.string("kubeconfig")
        kubernetes.context = fields.string("context")
        kubernetes.namespace = fields.string("namespace")
        kubernetes.image = fields.string("image") ?? ""
        if kubernetes.image.isEmpty {
            fields.fault("/image", "is needed: what runs are carried out in, with /bin/sh, such as python:3.12")
        }
        kubernetes.volumeClaim = fields.string("volume_claim")
        kubernetes.queue = fields.string("queue")
        kubernetes.cardAliases = cardAliases(&fields)
        kubernetes.emulatesCards = fields.flag("cards_are_emulated") ?? false
        if let calls = fields.integer("calls_per_minute", in: 1...60_000) { kubernetes.callsPerMinute = Int(calls) }
        return kubernetes
    }

    /// What a cluster calls its cards, to models of the catalogue.
    private static func cardAliases(_ fields: inout Fields) -> [String: String] {
        var aliases: [String: String] = [:]
        for (name, model) in fields.strings("card_aliases") {
            if Accelerator.named(model) == nil {
                fields.fault(
                    "/card_aliases/\(name)",
                    "is no model of the catalogue: `onepoint accelerators` lists them"
                )
            }
            aliases[name] = model
        }
        return aliases
    }
}
