import Core
import Engines

extension EngineOrder {
    /// One task of one core that does nothing; inputs and outputs are below `folder`.
    static func plain(_ run: RunKey, folder: String) -> EngineOrder {
        EngineOrder(
            run: run,
            command: ["true"],
            environment: [:],
            tasks: 1,
            resources: TaskResources(cores: 1000, memory: .mebi(64)),
            nodes: [NodeShare(node: "a", tasks: 1)],
            timeLimitSeconds: 60,
            isolation: .auto,
            algorithmFolder: nil,
            requirements: nil,
            inputsFolder: "\(folder)/in",
            outputsFolder: "\(folder)/out",
            parameters: "{}"
        )
    }
}
