public import Core
public import Curation

extension RunRecord {
    /// Reads what an output folder says of its run.
    public static func read(_ folder: String) throws(Failure) -> RunRecord {
        guard Disk.exists(folder + "/run.json") else {
            throw Failure(.notFound, "\(folder) has no run. 'onepoint data run' makes one.")
        }
        return try readJSON(RunRecord.self, folder + "/run.json")
    }
}
