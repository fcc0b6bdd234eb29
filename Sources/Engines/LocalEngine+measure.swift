import CSupervise
public import Core
import NIOPosix
import Synchronization

extension LocalEngine {
    /// What the machine was measured at, in this process's life or before; `nil` when it never was.
    public var measurement: NodeMeasurement? { state.withLock { $0.measured } }

    /// Measures the machine for about a second, and remembers the result for ``capacity()`` and for later processes.
    public func measure() async -> NodeMeasurement {
        let root = configuration.root
        let threads = max(1, (node.cores.count + 999) / 1000)
        let measured: NodeMeasurement? = try? await blocking { () throws(EngineError) -> NodeMeasurement in
            var result = onepoint_measurement()
            onepoint_measure(root, Int32(clamping: threads), &result)
            let measured = NodeMeasurement(
                fp32Gflops: result.fp32_gflops,
                memoryGbps: result.memory_gbps,
                diskMbps: result.disk_mbps,
                at: Machine.now()
            )
            Self.remember(measured, root: root)
            return measured
        }
        let result = measured ?? NodeMeasurement(fp32Gflops: 0, memoryGbps: 0, diskMbps: 0, at: Machine.now())
        state.withLock { $0.measured = result }
        return result
    }

    private static let fileName = "measurement.json"

    /// Lost, it costs another measurement at the next join; so it need not be durable.
    private static func remember(_ measured: NodeMeasurement, root: String) {
        let json = JSON.object([
            ("fp32_gflops", .number(measured.fp32Gflops)), ("memory_gbps", .number(measured.memoryGbps)),
            ("disk_mbps", .number(measured.diskMbps)), ("at", .string(measured.at.rfc3339)),
        ])
        do throws(Disk.Fault) {
            try Disk.replace(Array(json.text.utf8), in: root, as: fileName, durable: false)
        } catch {
            return
        }
    }

    static func rememberedMeasurement(root: String) -> NodeMeasurement? {
        guard let bytes = Disk.read("\(root)/\(fileName)"), let json = try? JSON(parsing: bytes),
            let fp32Gflops = json["fp32_gflops"]?.numberValue, let memoryGbps = json["memory_gbps"]?.numberValue,
            let diskMbps = json["disk_mbps"]?.numberValue,
            let at = (json["at"]?.stringValue).flatMap({ Instant(rfc3339: $0) })
        else { return nil }
        return NodeMeasurement(fp32Gflops: fp32Gflops, memoryGbps: memoryGbps, diskMbps: diskMbps, at: at)
    }
}
