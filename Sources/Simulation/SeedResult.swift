/// What became of one seed.
public struct SeedResult: Sendable {
    /// The seed.
    public let seed: UInt64
    /// The promises that were broken, in order; empty where all was kept.
    public internal(set) var violations: [String] = []
    /// How often each fault came about.
    public internal(set) var counts: [FaultKind: Int] = [:]
    /// How often each kind of command and of event came about, by its name.
    public internal(set) var tally: [String: Int] = [:]
    /// Commands sent.
    public internal(set) var commands = 0
    /// Commands acknowledged.
    public internal(set) var acknowledged = 0
    /// Entries at the node that holds most.
    public internal(set) var entries = 0
    /// Virtual time.
    public internal(set) var virtualMilliseconds: UInt64 = 0
    /// Messages sent.
    public internal(set) var messages = 0
    /// Their bytes.
    public internal(set) var messageBytes = 0
    /// A digest of everything that happened: two runs of a seed have the same.
    public internal(set) var trace: UInt64 = 0

    init(seed: UInt64) {
        self.seed = seed
    }

    /// Whether all promises were kept.
    public var isSound: Bool { violations.isEmpty }
}
