// Submits jobs from eight tasks and prints the number of each once it was acknowledged, until it is killed.
// Its only argument is the database.
import Core
import Glibc
import Store

let store = try await EventStore.open(.init(path: CommandLine.arguments[1]))
let start = store.lastSequence

try await withThrowingTaskGroup(of: Void.self) { group in
    for worker in 0..<8 {
        group.addTask {
            for round in 0... {
                let number = UInt64(start) + UInt64(round * 8 + worker) + 1
                try await store.write { tx in
                    let submitted = Event.JobsSubmitted(
                        first: JobID(high: number, low: 0),
                        count: 1,
                        project: ProjectName("brain")!,
                        user: UserName("alice")!,
                        spec: JobSpec(name: "probe", command: ["true"])
                    )
                    try tx.append(
                        .jobsSubmitted(submitted),
                        project: submitted.project,
                        subject: "\(submitted.first)",
                        actor: "user/alice",
                        at: Instant(milliseconds: 0)
                    )
                }
                let line = "\(number)\n"
                guard line.withCString({ write(1, $0, strlen($0)) }) == line.utf8.count else { return }
            }
        }
    }
    try await group.waitForAll()
}
