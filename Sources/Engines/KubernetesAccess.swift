public import Core
import FoundationEssentials

/// How to reach an API server, whom to trust, and who we are.
public struct KubernetesAccess: Sendable {
    public enum Credential: Sendable {
        case none
        case token(String)
        /// Read anew for every call: service accounts' tokens are renewed in place.
        case tokenFile(String)
        /// Both as PEM.
        case certificate(chain: [UInt8], key: [UInt8])
    }

    /// Such as `https://10.0.0.1:6443`, without a slash at the end.
    public var server: String
    public var namespace: String
    /// The authorities that may have signed the server's certificate, as PEM; `nil` takes the system's.
    public var authority: [UInt8]?
    public var credential: Credential

    public init(server: String, namespace: String, authority: [UInt8]?, credential: Credential) {
        self.server = server
        self.namespace = namespace
        self.authority = authority
        self.credential = credential
    }

    /// From a kubeconfig file that was read as YAML.
    ///
    /// - Parameters:
    ///   - folder: Where the file stands; paths in it are relative to that.
    ///   - context: Which of its contexts; `nil` takes the current one.
    public static func kubeconfig(
        _ json: JSON,
        folder: String,
        context wanted: String? = nil
    ) throws(EngineError) -> KubernetesAccess {
        func item(_ list: String, _ name: String, _ member: String) -> JSON? {
            json[list]?.arrayValue?.first { $0["name"]?.stringValue == name }?[member]
        }
        guard let contextName = wanted ?? json["current-context"]?.stringValue, !contextName.isEmpty else {
            throw .refused("The kubeconfig names no current context. Choose one: kubectl config use-context NAME.")
        }
        guard let context = item("contexts", contextName, "context"),
            let clusterName = context["cluster"]?.stringValue, let cluster = item("clusters", clusterName, "cluster"),
            let server = cluster["server"]?.stringValue
        else {
            throw .refused("The kubeconfig has no complete context '\(contextName)': it needs a cluster with a server.")
        }
        if cluster["insecure-skip-tls-verify"]?.boolValue == true {
            throw .refused(
                "The kubeconfig turns the check of the server's certificate off. Name its authority instead: "
                    + "certificate-authority."
            )
        }
        let user = context["user"]?.stringValue.flatMap { item("users", $0, "user") } ?? .null
        return KubernetesAccess(
            server: server.hasSuffix("/") ? String(server.dropLast()) : server,
            namespace: context["namespace"]?.stringValue ?? "default",
            authority: try bytes(cluster, "certificate-authority", folder),
            credential: try credential(user, folder)
        )
    }

    private static func credential(_ user: JSON, _ folder: String) throws(EngineError) -> Credential {
        if let chain = try bytes(user, "client-certificate", folder) {
            guard let key = try bytes(user, "client-key", folder) else {
                throw .refused("The kubeconfig has a client-certificate without its client-key.")
            }
            return .certificate(chain: chain, key: key)
        }
        // As kubectl has it: a file goes before what stands in the configuration.
        if let path = user["tokenFile"]?.stringValue { return .tokenFile(absolute(path, folder)) }
        if let token = user["token"]?.stringValue { return .token(token) }
        if user["exec"] != nil || user["auth-provider"] != nil {
            throw .refused(
                "The kubeconfig gets its credential from a plugin, which an agent cannot run. Make a service account, "
                    + "bind it to the rights that docs/protocols/kubernetes.md lists, and put its token there."
            )
        }
        return .none
    }

    /// `name-data` in base64, or the file that `name` leads to.
    private static func bytes(_ json: JSON, _ name: String, _ folder: String) throws(EngineError) -> [UInt8]? {
        if let text = json["\(name)-data"]?.stringValue {
            guard let data = Data(base64Encoded: text) else {
                throw .refused("The kubeconfig's \(name)-data is not base64.")
            }
            return [UInt8](data)
        }
        guard let path = json[name]?.stringValue else { return nil }
        guard let bytes = Disk.read(absolute(path, folder), bytesMax: fileBytesMax) else {
            throw .refused("The file \(absolute(path, folder)), which the kubeconfig names as \(name), cannot be read.")
        }
        return bytes
    }

    private static func absolute(_ path: String, _ folder: String) -> String {
        path.hasPrefix("/") ? path : "\(folder)/\(path)"
    }

    private static let fileBytesMax = 1 << 20

    /// What every pod finds: the service account's token and authority, and the API server's address.
    ///
    /// - Throws: ``EngineError/refused(_:)`` where this process is no pod.
    public static func inCluster() throws(EngineError) -> KubernetesAccess {
        try inCluster(folder: "/var/run/secrets/kubernetes.io/serviceaccount", variable: OwnEnvironment.value)
    }

    /// - Parameter variable: Reads the environment.
    static func inCluster(
        folder: String,
        variable: (String) -> String?
    ) throws(EngineError) -> KubernetesAccess {
        guard let host = variable("KUBERNETES_SERVICE_HOST"), let port = variable("KUBERNETES_SERVICE_PORT") else {
            throw .refused(
                "This is no pod: KUBERNETES_SERVICE_HOST is not set. Name a kubeconfig file in the centre's "
                    + "configuration."
            )
        }
        guard let authority = Disk.read("\(folder)/ca.crt", bytesMax: fileBytesMax) else {
            throw .refused(
                "This pod has no service account's files in \(folder). Give it a service account with "
                    + "automountServiceAccountToken: true."
            )
        }
        let namespace = Disk.read("\(folder)/namespace", bytesMax: 256).map { String(decoding: $0, as: UTF8.self) }
        return KubernetesAccess(
            server: "https://\(host.contains(":") ? "[\(host)]" : host):\(port)",
            namespace: namespace?.filter { !$0.isWhitespace } ?? "default",
            authority: authority,
            credential: .tokenFile("\(folder)/token")
        )
    }
}
