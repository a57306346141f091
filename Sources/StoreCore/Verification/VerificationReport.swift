public import EventLog

/// Something in an events file that does not hold.
public struct VerificationProblem: Hashable, Sendable {
    /// Where in the file.
    public enum Place: Hashable, Sendable {
        /// The file as a whole.
        case file
        /// A row of `logs`, by its branch.
        case branch(Int64)
        /// A log.
        case log(LogID)
        /// An entry or its body.
        case entry(EntryAddress)
        /// The checkpoint of a size.
        case checkpoint(LogID, size: UInt64)
        /// An arrival.
        case arrival(Int64)
        /// A command that was accepted.
        case command(String)
        /// An order.
        case order(Int64)
        /// A version of the charter.
        case charter(UInt64)
        /// A fork proof.
        case forkProof(Int64)
    }

    /// Where.
    public let place: Place
    /// What is wrong.
    public let text: String
}

extension VerificationProblem: CustomStringConvertible {
    /// A sentence for people, naming the place.
    public var description: String { "\(place): \(text)" }
}

extension VerificationProblem.Place: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .file: "file"
        case .branch(let branch): "log row \(branch)"
        case .log(let log): "log \(log)"
        case .entry(let address): "entry \(address)"
        case .checkpoint(let log, let size): "checkpoint of size \(size) of log \(log)"
        case .arrival(let number): "arrival \(number)"
        case .command(let command): "command \(command)"
        case .order(let number): "order \(number)"
        case .charter(let version): "charter version \(version)"
        case .forkProof(let number): "fork proof \(number)"
        }
    }
}

/// How far a verification has come.
public struct VerificationProgress: Hashable, Sendable {
    /// Entries hashed so far.
    public let entries: UInt64
    /// Entries there are.
    public let total: UInt64
}

/// What a verification found.
public struct VerificationReport: Sendable {
    /// Logs looked at.
    public internal(set) var logs = 0
    /// Entries hashed.
    public internal(set) var entries: UInt64 = 0
    /// Checkpoints whose root and signature were checked.
    public internal(set) var checkpoints = 0
    /// Checkpoints whose signature could not be checked, because no key of their writer was given.
    public internal(set) var checkpointsWithoutKey = 0
    /// Entries that this software does not understand or that are void: kept and covered by the signatures all the same.
    public internal(set) var entriesNotUnderstood: UInt64 = 0
    /// Parts that are gone under an order.
    public internal(set) var partsDropped: UInt64 = 0
    /// How many of them each order let go, by the order's number in this file; of several, the first.
    public internal(set) var dropsByOrder: [Int64: UInt64] = [:]
    /// The orders that are stored.
    public internal(set) var orders: [StoredOrder] = []
    /// The first problems, at most ``maximumProblems``.
    public internal(set) var problems: [VerificationProblem] = []
    /// How many problems there are.
    public internal(set) var problemCount = 0

    /// No report lists more problems than this.
    public static let maximumProblems = 1000

    /// True where nothing is wrong.
    public var isSound: Bool { problemCount == 0 }

    mutating func add(_ outcome: ChunkOutcome) {
        entries += UInt64(outcome.leaves.count)
        checkpoints += outcome.checkpoints
        checkpointsWithoutKey += outcome.checkpointsWithoutKey
        entriesNotUnderstood += outcome.entriesNotUnderstood
        for (order, parts) in outcome.drops {
            partsDropped += parts
            dropsByOrder[order, default: 0] += parts
        }
        problemCount += outcome.problemCount
        problems += outcome.problems.prefix(max(0, VerificationReport.maximumProblems - problems.count))
    }

    mutating func add(_ place: VerificationProblem.Place, _ text: String) {
        problemCount += 1
        if problems.count < VerificationReport.maximumProblems {
            problems.append(VerificationProblem(place: place, text: text))
        }
    }
}
