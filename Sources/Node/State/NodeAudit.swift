public import EventLog
import Foundation
public import StoreCore
import Trial
public import Views

/// How far an audit has come.
public enum AuditProgress: Sendable {
    /// Hashing what is stored.
    case hashing(VerificationProgress)
    /// Computing rights and records anew.
    case folding
    /// Building a study's view anew.
    case views(StudyID, RebuildProgress)
}

/// An order that is carried out, and what it let go.
public struct AuditedOrder: Hashable, Sendable, Codable {
    /// The entry that gave it; nil where that is not here.
    public var order: EntryID?
    /// Where it stands, as log and index.
    public var address: String
    /// The stream it acts on.
    public var stream: String
    /// Parts that are gone under it; of several orders on one part the first counts.
    public var partsDropped: UInt64
}

/// What the entries of one stream come to by the rights recomputed.
public struct AuditedStream: Hashable, Sendable, Codable {
    /// The stream.
    public var stream: String
    /// Entries without effect, by the number of the rule (`Protocols/merge.md`).
    public var void: [String: Int] = [:]
    /// Entries that wait for something.
    public var waiting = 0
    /// Entries that this software does not understand.
    public var notUnderstood = 0
    /// Entries that keep their effect and have a finding, by the number of the rule.
    public var findings: [String: Int] = [:]
    /// Participants who were erased.
    public var erased = 0
}

/// What a full audit of a node's directory found.
public struct AuditReport: Sendable {
    /// What hashing everything found.
    public let verification: VerificationReport
    /// What each order let go.
    public let orders: [AuditedOrder]
    /// What the rights recomputed say of every stream.
    public let streams: [AuditedStream]
    /// The views, held against ones built anew.
    public let views: [ViewComparison]
    /// Everything that is wrong, a sentence each: the first of each kind.
    public let problems: [String]
    /// How many problems there are.
    public let problemCount: Int

    /// True where nothing is wrong.
    public var isSound: Bool { problemCount == 0 }
}

/// Looks at everything a node has stored: hashes and signatures, the charter chain, rights and orders recomputed from the
/// entries, and the views held against ones built anew.
///
/// May run beside the node: what came after it began is not looked at.
struct NodeAudit {
    let directory: NodeDirectory
    let reader: StoreReader
    let chain: CharterChain
    let network: NetworkID
    private var problems: [String] = []
    private var problemCount = 0

    init(directory: NodeDirectory, reader: StoreReader, chain: CharterChain, network: NetworkID) {
        self.directory = directory
        self.reader = reader
        self.chain = chain
        self.network = network
    }

    mutating func run(workers: Int, progress: @escaping (AuditProgress) -> Void) throws -> AuditReport {
        let verification = try LogVerification.run(
            on: reader, charter: chain, workers: workers, progress: { progress(.hashing($0)) })
        problems = verification.problems.map(\.description)
        problemCount = verification.problemCount
        try checkCharters()
        guard verification.isSound else {
            // What does not hold is not worth computing from.
            add("rights, orders and views were not recomputed, because what is stored does not hold")
            return report(verification, [], [], [])
        }
        progress(.folding)
        var state = NodeState(chain: chain, network: network)
        // Beside a running node both grow: those orders are looked at whose entries are folded.
        var stored: [StoredOrder] = []
        repeat {
            try state.catchUp(reader)
            stored = try reader.orders()
        } while try state.catchUp(reader) > 0
        let orders = try checkOrders(stored, verification.dropsByOrder, state)
        let streams = state.auditedStreams
        let views = try checkViews(&state, progress)
        return report(verification, orders, streams, views)
    }

    private func report(
        _ verification: VerificationReport, _ orders: [AuditedOrder], _ streams: [AuditedStream],
        _ views: [ViewComparison]
    ) -> AuditReport {
        AuditReport(
            verification: verification, orders: orders, streams: streams, views: views, problems: problems,
            problemCount: problemCount)
    }

    private mutating func add(_ text: String) {
        problemCount += 1
        if problems.count < VerificationReport.maximumProblems { problems.append(text) }
    }

    /// Every version that is stored must be one of the chain that was checked from its founding on.
    private mutating func checkCharters() throws {
        for record in try reader.charters()
        where !chain.versions.contains(where: { $0.charterBytes == record.bytes }) {
            add("charter version \(record.version): it is none of the chain, nor a rival in it")
        }
    }

    // MARK: Orders

    /// What is carried out must have effect by the rights recomputed, and what has effect must be carried out.
    private mutating func checkOrders(
        _ orders: [StoredOrder], _ drops: [Int64: UInt64], _ state: NodeState
    ) throws -> [AuditedOrder] {
        var inEffect: [EntryAddress: OrderInEffect] = [:]
        for fold in state.folds.values.flatMap(\.locations.values) {
            for order in fold.orders.values { inEffect[order.address] = order }
        }
        var audited: [AuditedOrder] = []
        var stored: Set<EntryAddress> = []
        for order in orders {
            stored.insert(order.entry)
            let entry = try reader.entry(at: order.entry)
            audited.append(
                AuditedOrder(
                    order: entry?.id, address: "\(order.entry)", stream: order.stream.description,
                    partsDropped: drops[order.number] ?? 0))
            // One that came ahead of its log is judged when its entry is here.
            guard let entry else { continue }
            if let effective = inEffect[order.entry] {
                if effective.action != order.action {
                    add("order \(order.number): it drops something else than its entry \(entry.id) says")
                }
            } else {
                add("order \(order.number): it is carried out, but its entry \(entry.id) has no effect")
            }
        }
        for (address, order) in inEffect.sorted(by: { $0.key < $1.key }) where !stored.contains(address) {
            guard try !isElsewhere(order) else { continue }
            add("entry \(order.entry): the order has effect and is not carried out")
        }
        return audited
    }

    /// Whether an order names an entry of another stream, of which it takes nothing.
    private func isElsewhere(_ order: OrderInEffect) throws -> Bool {
        guard case .parts(_, _, let address) = order.order.target, let log = try reader.log(address.log) else {
            return false
        }
        return log.name.stream != order.stream
    }

    // MARK: Views

    private mutating func checkViews(
        _ state: inout NodeState, _ progress: (AuditProgress) -> Void
    ) throws -> [ViewComparison] {
        let scratch = directory.path + "/verify.\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: scratch) }
        var compared: [ViewComparison] = []
        let standing = ViewDirectory(dataDirectory: directory.path)
        for study in state.studyOIDs.keys.sorted() where standing.current(study) != nil {
            guard let context = try state.viewContext(of: study, reader) else { continue }
            try OwnerOnlyFile.makeDirectory(scratch)
            let comparison = try ViewAudit(dataDirectory: directory.path, context: context, scratch: scratch)
                .run { progress(.views(study, $0)) }
            for line in comparison.differences { add("view of study \(study): \(line)") }
            problemCount += comparison.differenceCount - comparison.differences.count
            compared.append(comparison)
        }
        return compared
    }
}

extension NodeState {
    /// What became of the entries of every stream.
    fileprivate var auditedStreams: [AuditedStream] {
        var streams: [AuditedStream] = []
        for (study, fold) in folds.sorted(by: { $0.key < $1.key }) {
            var own = AuditedStream(stream: StreamID.study(study).description)
            own.count(fold.authority.void, fold.authority.waiting.count, fold.authority.findings)
            own.notUnderstood = fold.authority.notUnderstood.count
            streams.append(own)
            for (location, held) in fold.locations.sorted(by: { $0.key < $1.key }) {
                var stream = AuditedStream(stream: StreamID.location(location, in: study).description)
                stream.count(held.void, held.waiting.count, held.findings)
                stream.notUnderstood = held.notUnderstood.count
                stream.erased = held.erasedParticipants.values.count { !$0.registrations.isEmpty }
                for record in held.records.values {
                    stream.count(record.void, record.waiting.count, record.findings)
                }
                streams.append(stream)
            }
        }
        return streams
    }
}

extension AuditedStream {
    fileprivate mutating func count(
        _ void: [EntryID: VoidRule], _ waiting: Int, _ findings: [EntryID: FindingRule]
    ) {
        for rule in void.values { self.void["V\(rule.rawValue)", default: 0] += 1 }
        self.waiting += waiting
        for rule in findings.values { self.findings["F\(rule.rawValue)", default: 0] += 1 }
    }
}
