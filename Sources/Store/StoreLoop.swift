import Dispatch
import StoreCore

/// What the store's thread does: reads, then one group of writes, and again.
///
/// Invariants:
/// - lives on one thread from its making to its end;
/// - `queued` holds the writes that were taken from the mailbox and found no room in a group yet, in order;
/// - after `failure` no write is answered but with it, and no read where `canRead` is false.
final class StoreLoop<Companion> {
    private let core: StoreCore
    private var companion: Companion
    private let mailbox: Mailbox<Companion>
    private let makeCompanion: @Sendable (StoreCore) throws -> Companion
    private let onCommit: @Sendable ([CommittedLog]) -> Void
    private let onFailure: @Sendable (any Error) -> Void
    private var queued: ArraySlice<any StoreJob<Companion>> = []
    private var closing: [any StoreJob<Companion>] = []
    /// Why a group's transaction failed: nothing is written any more.
    private var failure: (any Error)?
    /// Whether the companion holds what is durable, and no more.
    private var canRead = true

    init(
        core: StoreCore, mailbox: Mailbox<Companion>, companion: @escaping @Sendable (StoreCore) throws -> Companion,
        onCommit: @escaping @Sendable ([CommittedLog]) -> Void, onFailure: @escaping @Sendable (any Error) -> Void
    ) throws {
        self.core = core
        self.companion = try companion(core)
        makeCompanion = companion
        self.mailbox = mailbox
        self.onCommit = onCommit
        self.onFailure = onFailure
    }

    /// Works until the mailbox is closed and everything that waited in it is done, then closes the store.
    func run() {
        while true {
            // What was dropped by an order leaves the write-ahead log as soon as no reader is in the way.
            let patience: DispatchTimeInterval? = core.hasBytesToForget ? .milliseconds(100) : nil
            let batch = mailbox.take(mayWait: queued.isEmpty, patience: patience)
            if batch.isEmpty { core.forgetDropped() }
            queued += batch.writes
            for job in batch.reads {
                if job is CloseJob<Companion> {
                    closing.append(job)
                } else if let failure, !canRead {
                    job.fail(failure)
                } else {
                    job.run(core, &companion)
                }
            }
            if !queued.isEmpty { commitGroup() }
            if batch.isLast && queued.isEmpty { break }
        }
        do {
            try core.close()
            for job in closing { job.answer() }
        } catch {
            for job in closing { job.fail(error) }
        }
    }

    /// Runs the writes at the head of the queue in one transaction, and answers them when it is durable.
    private func commitGroup() {
        if let failure {
            for job in queued { job.fail(failure) }
            queued = []
            return
        }
        var group: [any StoreJob<Companion>] = []
        do {
            try core.transaction {
                while let job = queued.first, hasRoom(after: group.count) {
                    queued = queued.dropFirst()
                    group.append(job)
                    job.run(core, &companion)
                }
            }
        } catch {
            if group.isEmpty {
                // The transaction did not begin (another program holds the file): the companion is as it was.
                for job in queued { job.fail(error) }
                queued = []
            } else {
                failure = error
                for job in group { job.fail(error) }
                onFailure(error)
                makeCompanionAnew()
            }
            return
        }
        if queued.isEmpty { queued = [] }
        for job in group { job.answer() }
        if !core.lastCommit.isEmpty { onCommit(core.lastCommit) }
    }

    /// After a failed commit the companion may hold what is not durable: it is made again from what is, so that people can
    /// still read. Where that fails too, nobody is served any more.
    private func makeCompanionAnew() {
        do {
            companion = try makeCompanion(core)
        } catch {
            canRead = false
        }
    }

    private func hasRoom(after count: Int) -> Bool {
        count < Store<Companion>.maximumGroupBodies && core.bytesInTransaction < Store<Companion>.maximumGroupBytes
    }
}
