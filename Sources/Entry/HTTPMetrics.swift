public import HTTPTypes
import Synchronization

/// Counts and durations of requests by method, route template and class of status.
///
/// Labels are route templates, never what callers sent, so the number of series is bounded by the routes.
public final class HTTPMetrics: Sendable {
    struct Series: Hashable {
        let method: String
        let route: String
        /// `2xx` and the like.
        let status: String
    }

    struct Cell {
        var count = 0
        var seconds = 0.0
        var buckets = [Int](repeating: 0, count: HTTPMetrics.bounds.count)
    }

    /// Upper bounds in seconds.
    static let bounds: [Double] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

    private let cells = Mutex<[Series: Cell]>([:])

    public init() {}

    /// - Parameter duration: From the head of the request to the head of the answer.
    public func record(method: HTTPRequest.Method, route: String, status: Int, duration: Duration) {
        let series = Series(method: Self.known(method), route: route, status: "\(status / 100)xx")
        let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
        let bucket = Self.bounds.firstIndex { seconds <= $0 }
        cells.withLock { cells in
            cells[series, default: Cell()].count += 1
            cells[series, default: Cell()].seconds += seconds
            if let bucket { cells[series, default: Cell()].buckets[bucket] += 1 }
        }
    }

    /// Prometheus text exposition format, version 0.0.4.
    public var exposition: String {
        let cells = cells.withLock { $0 }.sorted {
            ($0.key.route, $0.key.method, $0.key.status) < ($1.key.route, $1.key.method, $1.key.status)
        }
        var text = """
            # HELP onepoint_http_requests_total Requests answered.
            # TYPE onepoint_http_requests_total counter

            """
        for (series, cell) in cells { text += "onepoint_http_requests_total{\(series.labels)} \(cell.count)\n" }
        text += """
            # HELP onepoint_http_request_duration_seconds Time from a request's head to its answer's.
            # TYPE onepoint_http_request_duration_seconds histogram

            """
        let name = "onepoint_http_request_duration_seconds"
        for (series, cell) in cells {
            var sum = 0
            for (bound, count) in zip(Self.bounds, cell.buckets) {
                sum += count
                text += "\(name)_bucket{\(series.labels),le=\"\(bound)\"} \(sum)\n"
            }
            text += "\(name)_bucket{\(series.labels),le=\"+Inf\"} \(cell.count)\n"
            text += "\(name)_sum{\(series.labels)} \(cell.seconds)\n"
            text += "\(name)_count{\(series.labels)} \(cell.count)\n"
        }
        return text
    }

    private static func known(_ method: HTTPRequest.Method) -> String {
        switch method {
        case .get, .head, .post, .put, .patch, .delete, .options: method.rawValue
        default: "other"
        }
    }
}

extension HTTPMetrics.Series {
    fileprivate var labels: String { "method=\"\(method)\",route=\"\(route)\",status=\"\(status)\"" }
}
