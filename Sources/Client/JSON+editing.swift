import Core

extension JSON {
    /// The same object with one member set, at the end if it is new.
    func setting(_ key: String, to value: JSON?) -> JSON {
        guard case .object(var members) = self else { return self }
        if let index = members.firstIndex(where: { $0.key == key }) {
            if let value { members[index].value = value } else { members.remove(at: index) }
        } else if let value {
            members.append((key, value))
        }
        return .object(members)
    }

    /// An object of those members that are there.
    static func members(_ members: (String, JSON?)...) -> JSON {
        .object(members.compactMap { key, value in value.map { (key, $0) } })
    }
}

extension String {
    var json: JSON { .string(self) }
}

extension Int {
    var json: JSON { .integer(Int64(self)) }
}
