public import Core

extension ReadTransaction {
    /// The jobs that name exactly this dependency, ended ones included, in the order of their arrival.
    public func dependants(on dependency: Dependency) throws -> [JobID] {
        try connection.all(
            "SELECT id FROM job WHERE sequence IN (SELECT sequence FROM dependency WHERE target = ?) ORDER BY sequence, id",
            dependency
        ) { try $0.value(0) }
    }
}
