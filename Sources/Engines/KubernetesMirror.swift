internal import Core

/// What is kept of an object in the cluster.
protocol KubernetesObject: Hashable, Sendable {
    /// Names it among the objects of its kind.
    var name: String { get }

    /// `nil` when it is none of ours.
    init?(_ json: JSON)

    /// The name that the object of this text has, or would have.
    static func name(of json: JSON) -> String
}

extension KubernetesObject {
    static func name(of json: JSON) -> String { json["metadata"]?["name"]?.stringValue ?? "" }
}

/// A list as the API server answered it.
struct KubernetesListing: Sendable {
    /// Where it was asked for.
    var path: String
    var items: [JSON]
    /// From where a watch goes on.
    var version: String
}

/// The objects of one kind, as a list showed them and the events that followed changed them. Pure.
///
/// At every moment it is what a list at its version would have shown, but for our own writes that the watch has not
/// come to yet: those are shown at once.
///
/// > Source: Kubernetes API concepts, "Efficient detection of changes" and "Watch bookmarks"; versions are compared as
/// > whole numbers, which has always been what API servers write and is promised since 1.35 (KEP-5504). Where they are
/// > not, our writes are shown by the watch alone.
struct KubernetesMirror<Object: KubernetesObject>: Sendable {
    enum Fault: Error, Hashable, Sendable {
        /// The API server does not remember the version any more: list anew.
        case expired
        /// In the API server's words.
        case refused(String)
        case nonsense(String)
    }

    private var listed: [String: Object] = [:]
    /// Our own writes that the watch has not come to.
    private var written: [String: (object: Object, version: UInt64)] = [:]
    /// Up to where it has come; `nil` when it has to be listed.
    private(set) var version: String?

    var objects: [Object] {
        written.isEmpty ? Array(listed.values) : Array(listed.merging(written.mapValues(\.object)) { $1 }.values)
    }

    subscript(name: String) -> Object? { written[name]?.object ?? listed[name] }

    /// Starts anew from a list.
    ///
    /// - Returns: Whether it shows anything else than before.
    mutating func take(_ listing: KubernetesListing) -> Bool {
        let before = listed
        listed = Dictionary(listing.items.compactMap(Object.init).map { ($0.name, $0) }) { $1 }
        // A cluster that was set back to an older state has forgotten what was written since.
        if let old = number, let new = UInt64(listing.version), new < old { written = [:] }
        move(to: listing.version)
        return listed != before
    }

    /// Takes one event of a watch.
    ///
    /// - Returns: Whether it shows anything else than before.
    mutating func take(_ event: JSON) throws(Fault) -> Bool {
        let object = event["object"] ?? .null
        let type = event["type"]?.stringValue
        if type == "ERROR" {
            let isOld =
                object["code"]?.integerValue == 410 || ["Expired", "Gone"].contains(object["reason"]?.stringValue)
            throw isOld ? .expired : .refused(object["message"]?.stringValue ?? "an error without a message")
        }
        guard let new = object["metadata"]?["resourceVersion"]?.stringValue, !new.isEmpty else {
            throw .nonsense("an event without a version of its object")
        }
        if let old = number, let new = UInt64(new), new < old { throw .nonsense("a version before the last one") }
        let name = Object.name(of: object)
        let before = listed[name]
        switch type {
        case "BOOKMARK": break
        case "ADDED", "MODIFIED": listed[name] = Object(object)
        case "DELETED": listed[name] = nil
        default: throw .nonsense("an event of the type '\(type ?? "")'")
        }
        move(to: new)
        return listed[name] != before
    }

    /// Shows what we have written ourselves before the watch comes to it.
    mutating func note(_ object: Object, version: String) {
        guard let now = number, let version = UInt64(version), version > now else { return }
        if let known = written[object.name], known.version > version { return }
        written[object.name] = (object, version)
    }

    /// Where it stands cannot be gone on from.
    mutating func lose() { version = nil }

    private var number: UInt64? { version.flatMap { UInt64($0) } }

    private mutating func move(to version: String) {
        self.version = version
        guard let number, !written.isEmpty else { return }
        written = written.filter { $0.value.version > number }
    }
}
