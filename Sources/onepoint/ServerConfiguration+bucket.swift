import Blobs
import Core

extension ServerConfiguration {
    /// Where blobs go that are not wanted often.
    struct BucketEntry: Sendable {
        var endpoint = ""
        var name = ""
        var region = "us-east-1"
        var prefix = ""
        var keep = Bytes.gibi(64)
    }

    static func bucket(_ fields: inout Fields) -> BucketEntry {
        var entry = BucketEntry()
        if let text = fields.string("endpoint"), S3Bucket.isEndpoint(text) {
            entry.endpoint = text
        } else {
            fields.fault("/endpoint", "is needed: http:// or https:// and a host, without a path")
        }
        if let text = fields.string("name"), text.wholeMatch(of: /[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/) != nil {
            entry.name = text
        } else {
            fields.fault("/name", "is needed: the bucket's name, of 3 to 63 letters, digits, dots and hyphens")
        }
        if let text = fields.string("region") {
            entry.region = text
            if text.wholeMatch(of: /[a-z0-9-]{1,64}/) == nil { fields.fault("/region", "must be such as us-east-1") }
        }
        if let text = fields.string("prefix") {
            entry.prefix = text
            if text.wholeMatch(of: /[A-Za-z0-9_\/-]{0,200}/) == nil {
                fields.fault("/prefix", "must be letters, digits, hyphens, underscores and slashes")
            }
        }
        if let text = fields.string("keep") {
            guard let keep = Bytes(text) else {
                fields.fault("/keep", "must be an amount such as 200GiB")
                return entry
            }
            entry.keep = keep
        }
        return entry
    }
}
