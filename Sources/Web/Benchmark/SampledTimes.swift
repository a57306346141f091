/// How long each of several requests took.
struct SampledTimes: Sendable {
    private var milliseconds: [Double] = []

    /// Number of requests.
    var count: Int { milliseconds.count }

    /// Takes the time of one.
    mutating func measure<Result: Sendable>(_ body: () async throws -> Result) async rethrows -> Result {
        let start = ContinuousClock.now
        let result = try await body()
        milliseconds.append((ContinuousClock.now - start) / .milliseconds(1))
        return result
    }

    /// The milliseconds within which a fraction of them was answered; 0 where there was none.
    func part(_ fraction: Double) -> Double {
        guard !milliseconds.isEmpty else { return 0 }
        return milliseconds.sorted()[min(count - 1, Int(Double(count) * fraction))]
    }
}
