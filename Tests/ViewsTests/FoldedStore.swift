import EventLog
import Foundation
import StoreCore
import Trial
import Views

/// A store with the fold of what it holds, as a node keeps them; everything under one lock.
final class FoldedStore: @unchecked Sendable {
    private let lock = NSLock()
    private let core: StoreCore
    private var fold: StudyFold
    private var arrival: Int64 = 0
    /// Number of the last command of ``write(_:)``.
    private var commands = 1_000_000
    let path: String
    let generated: GeneratedStudy
    /// What views depend on: the study's own, with a plan where the test has one.
    let context: StudyViewContext

    init(
        _ path: String, values: Int = 600, valuesPerParticipant: Int = 60, itemsPerForm: Int = 6,
        plan: TrialPlan? = nil,
        define: ((inout StudyDefinition) -> Void)? = nil
    ) throws {
        self.path = path
        core = try GeneratedStudy.store(in: path)
        generated = try GeneratedStudy(
            in: core, values: values, valuesPerParticipant: valuesPerParticipant, itemsPerForm: itemsPerForm)
        let plain = generated.context
        var definition = plain.definition
        if let define, var changed = definition {
            define(&changed)
            definition = changed
        }
        context = StudyViewContext(
            study: plain.study, authority: plain.authority, definition: definition,
            definitionHash: plain.definitionHash, plan: plan,
            planHash: plan.map { _ in .sha256([UInt8]("plan".utf8)) }, locations: plain.locations)
        fold = StudyFold(study: generated.study, directory: generated.context.authority.directory)
        try catchUp()
        _ = fold.takeChanges()
    }

    private func catchUp() throws {
        for batch in try core.entries(sinceArrival: arrival, limit: .max) {
            guard let name = try core.log(batch.arrival.log)?.name else { continue }
            for stored in batch.entries {
                try fold.insert(
                    WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: name),
                    source: StoreSource(core: core))
            }
            arrival = batch.arrival.number
        }
    }

    /// Forgets what changed, as a node does that starts.
    func forgetChanges() { lock.withLock { _ = fold.takeChanges() } }

    /// Commits entries in one transaction; gives the arrival.
    func commit(_ body: (StoreCore) throws -> Void) throws -> Int64 {
        try lock.withLock {
            try core.transaction { try body(core) }
            try catchUp()
            return arrival
        }
    }

    /// What the views are told.
    func report(_ asked: [StudyID: [LocationID: Set<EntryID>]]) throws -> FoldReport {
        try lock.withLock {
            try catchUp()
            _ = fold.settledCounts(of: GeneratedStudy.location)
            var changes = fold.takeChanges()
            changes.merge(asked[fold.study] ?? [:]) { $0.union($1) }
            return FoldReport(
                contexts: [fold.study: context],
                updates: changes.isEmpty ? [] : [StudyUpdate(fold, changes: changes)], arrival: arrival,
                leaf: try core.leafHash(atArrival: arrival) ?? .zero)
        }
    }

    /// The participants' registrations, sorted.
    var participants: [EntryID] {
        lock.withLock { fold.locations[GeneratedStudy.location]?.records.keys.sorted() ?? [] }
    }

    /// A participant's record.
    func record(_ participant: EntryID) -> ParticipantState? {
        lock.withLock { fold.locations[GeneratedStudy.location]?.participant(participant) }
    }

    /// Something of the fold.
    func folded<Result>(_ body: (StudyFold) -> Result) -> Result { lock.withLock { body(fold) } }

    /// Writes operations about a participant, each an entry of a commit of its own; gives them, and the last arrival.
    func write(_ operations: Trial.Operation...) throws -> (entries: [EntryID], arrival: Int64) {
        var entries: [EntryID] = []
        var arrival: Int64 = 0
        for operation in operations {
            arrival = try commit { core in
                commands += 1
                entries.append(try generated.append(operation, about: 0, number: commands, in: core))
            }
        }
        return (entries, arrival)
    }

    /// Takes in what other epochs of the same node write, each an entry, as a peer would send it; gives the last arrival.
    func takeIn(
        _ operation: Trial.Operation, about participant: Int, number: Int, from writers: [StoreCore]
    ) throws -> Int64 {
        let key = AdministratorKey(seed: GeneratedStudy.signingSeed)?.publicKey.hash.bytes ?? []
        for (place, writer) in writers.enumerated() {
            try writer.transaction {
                _ = try generated.append(operation, about: participant + place, number: number, in: writer)
            }
        }
        return try commit { core in
            for writer in writers {
                for log in try writer.logs() {
                    let held = try core.head(of: log.name.id)?.size ?? 0
                    let range = try writer.readSegment(log.name.id, from: held, maximumBytes: 1 << 20)
                    guard let range else { continue }
                    _ = try core.ingest(
                        range, of: log.name, key: key, from: nil,
                        time: NodeTime(utcMilliseconds: 1_760_000_000_000))
                }
            }
        }
    }

    /// What is counted, as a node's status has it: only records that changed since it was last asked are counted anew.
    var counts: StreamCounts? { lock.withLock { fold.settledCounts(of: GeneratedStudy.location) } }

    /// Keeps the views of this store while `body` runs.
    func withViews(_ body: (StudyViews) async throws -> Void) async throws {
        let failures = Failures()
        let views = StudyViews(dataDirectory: path, node: GeneratedStudy.node) { [self] asked in
            try report(asked)
        } onFailure: { _, error in
            failures.note(error)
        }
        let running = Task { try await views.run() }
        do {
            try await body(views)
        } catch {
            await views.stop()
            try await running.value
            throw failures.first ?? error
        }
        await views.stop()
        try await running.value
        if let failure = failures.first { throw failure }
    }
}

final class Failures: @unchecked Sendable {
    private let lock = NSLock()
    private var errors: [any Error] = []

    func note(_ error: any Error) { lock.withLock { errors.append(error) } }
    var first: (any Error)? { lock.withLock { errors.first } }
}
