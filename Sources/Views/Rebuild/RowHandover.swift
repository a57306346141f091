import EventLog
import Foundation
import StoreCore
import Trial

/// The rows of participants whose registrations share a command; most often one participant.
struct GroupRows: Sendable {
    var location: LocationID
    var rows: [ParticipantRows]
    /// Findings of no participant that came up in folding the group.
    var findings: [FindingRow]
    /// Erased participants of whom entries were among the group's.
    var erased: [ErasedParticipant] = []
}

/// Folds and reduces groups.
struct GroupFolder {
    let index: StudyIndex
    let reducer: ParticipantReducer
    let rest: [LocationID: LocationFold]
    private var fold: ParticipantwiseFold

    init(
        index: StudyIndex, reducer: ParticipantReducer, rest: [LocationID: LocationFold], authority: StudyAuthority
    ) {
        self.index = index
        self.reducer = reducer
        self.rest = rest
        fold = ParticipantwiseFold(authority: authority, knowledge: index.knowledge)
    }

    mutating func rows(ofGroup number: Int, _ reader: StoreReader) throws -> GroupRows {
        let (location, places) = index.group(number)
        let folded = fold.fold(
            location: location, entries: try index.entries(at: places, reader),
            drops: rest[location]?.drops ?? DropOrders())
        let rows = folded.records.values.map { record in
            let isUnderstood =
                folded.isFullyUnderstood(record)
                && (rest[location]?.understands(folded.handles(of: record)) ?? true)
            return reducer.rows(record, isFullyUnderstood: isUnderstood)
        }
        return GroupRows(
            location: location, rows: rows.sorted { $0.participant < $1.participant },
            findings: FindingRow.loose(of: folded),
            erased: folded.erasedParticipants.values.filter { $0.entryCount > 0 })
    }
}

/// Hands rows from the threads that fold to the one that writes, a bounded number ahead.
///
/// Sendable although mutable: everything mutable is touched under `condition`.
final class RowHandover: @unchecked Sendable {
    /// Groups that wait for the writer.
    private static let capacity = 32

    private let condition = NSCondition()
    private let groups: Int
    private var next = 0
    private var waiting: [GroupRows] = []
    private var working: Int
    private var failure: (any Error)?
    private var isAbandoned = false

    init(groups: Int, workers: Int) {
        self.groups = groups
        working = workers
    }

    /// Works until no group is left, on a thread of its own.
    func work(_ reader: Result<StoreReader, any Error>, _ folder: GroupFolder) {
        var folder = folder
        do {
            let reader = try reader.get()
            while let number = claim() { guard give(try folder.rows(ofGroup: number, reader)) else { break } }
            finish(nil)
        } catch {
            finish(error)
        }
    }

    private func claim() -> Int? {
        condition.withLock {
            guard next < groups, failure == nil, !isAbandoned else { return nil }
            defer { next += 1 }
            return next
        }
    }

    /// Hands rows over, waiting while there is no room; false where nobody wants them any more.
    private func give(_ rows: GroupRows) -> Bool {
        condition.withLock {
            while waiting.count >= RowHandover.capacity, !isAbandoned { condition.wait() }
            guard !isAbandoned else { return false }
            waiting.append(rows)
            condition.broadcast()
            return true
        }
    }

    private func finish(_ error: (any Error)?) {
        condition.withLock {
            if failure == nil { failure = error }
            working -= 1
            condition.broadcast()
        }
    }

    /// The next rows, waiting for them; nil when all groups are done.
    ///
    /// - Throws: what a worker threw.
    func take() throws -> GroupRows? {
        try condition.withLock {
            while true {
                if let failure { throw failure }
                if let rows = waiting.popLast() {
                    condition.broadcast()
                    return rows
                }
                if working == 0 { return nil }
                condition.wait()
            }
        }
    }

    /// Lets the workers end, and waits until they have.
    func abandon() {
        condition.withLock {
            isAbandoned = true
            condition.broadcast()
            while working > 0 { condition.wait() }
        }
    }
}
