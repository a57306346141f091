public import StoreCore
import Synchronization

/// The concurrent shell of ``StoreCore``: many tasks write and read, one thread does it.
///
/// Writes that wait at the same time share one transaction, one signature for each log and one fsync (group commit), and
/// are answered only after that. On the same thread lives a *companion*: state that is folded from the entries in the same
/// order, by which writers decide, and which never leaves the thread.
///
/// Invariants:
/// - nothing is answered before it is durable (DESIGN §2, rule 4);
/// - a body that throws leaves no trace in the store; it must leave none in the companion either: **a body decides first,
///   then appends, then applies what was appended to the companion, and throws nothing after that**;
/// - after a failure of the disk no write is answered any more but with that failure, and reads see a companion that was
///   made anew from what is durable.
public final class Store<Companion>: Sendable {
    /// The largest number of bodies that share a transaction.
    public static var maximumGroupBodies: Int { 256 }
    /// A transaction takes no further body once its entries have this many bytes.
    public static var maximumGroupBytes: Int { 4 * 1024 * 1024 }

    private let mailbox = Mailbox<Companion>()

    /// Opens the store on a thread of its own.
    ///
    /// - Parameters:
    ///   - configuration: where, whose, and with which key.
    ///   - lock: the directory's lock where the caller holds it already.
    ///   - generator: draws epochs and salts.
    ///   - companion: makes the companion on the store's thread, from what is stored; again after a failure, so that reading
    ///     can go on.
    ///   - onCommit: called on the store's thread after each commit that brought entries, with what it brought. It must not
    ///     wait for the store.
    ///   - onFailure: called once on the store's thread when the store has failed and writes nothing any more.
    /// - Throws: ``StoreError``, or what `companion` throws.
    public init(
        _ configuration: StoreConfiguration, lock: DirectoryLock? = nil,
        generator: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        companion: @escaping @Sendable (StoreCore) throws -> Companion,
        onCommit: @escaping @Sendable ([CommittedLog]) -> Void = { _ in },
        onFailure: @escaping @Sendable (any Error) -> Void = { _ in }
    ) async throws {
        let mailbox = mailbox
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            StoreThread.start {
                do {
                    let core = try StoreCore(configuration, lock: lock, generator: generator)
                    let loop = try StoreLoop(
                        core: core, mailbox: mailbox, companion: companion, onCommit: onCommit, onFailure: onFailure)
                    continuation.resume()
                    loop.run()
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    deinit {
        mailbox.close()
    }

    /// Runs `body` in a transaction that it may share with others, and answers when it is durable.
    ///
    /// Once it was called it is carried through: cancelling the calling task changes nothing.
    /// - Parameter body: runs on the store's thread; see the invariants for what it may do when.
    /// - Throws: what `body` throws, with everything it wrote taken back; ``StoreError/stopped(_:)`` where the disk failed;
    ///   ``StoreClosed`` after ``close()``.
    public func write<Result: Sendable>(
        _ body: @escaping @Sendable (StoreCore, inout Companion) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let job = WriteJob<Companion, Result>(body, continuation)
            if !mailbox.add(job, .write) { continuation.resume(throwing: StoreClosed()) }
        }
    }

    /// Runs `body` between two transactions: it sees what is durable, and nothing else.
    ///
    /// After a failure of the disk reading goes on as long as the disk gives anything.
    /// - Throws: what `body` throws; ``StoreError/stopped(_:)`` where nothing can be read any more; ``StoreClosed`` after
    ///   ``close()``.
    public func read<Result: Sendable>(
        _ body: @escaping @Sendable (StoreCore, inout Companion) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            let job = ReadJob<Companion, Result>(body, continuation)
            if !mailbox.add(job, .read) { continuation.resume(throwing: StoreClosed()) }
        }
    }

    /// How many writes wait while the store's thread is busy with a group: they will share the next.
    public var waitingWrites: Int { mailbox.waitingWrites }

    /// Finishes what waits, copies the write-ahead log into the file and closes it. A second call does nothing.
    ///
    /// - Throws: ``DatabaseFailure`` where the last copying failed.
    public func close() async throws {
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            let job = CloseJob<Companion>(continuation)
            if mailbox.add(job, .read) { mailbox.close() } else { continuation.resume() }
        }
    }
}

/// The store was closed: nothing is read or written any more.
public struct StoreClosed: Error, Hashable, Sendable, CustomStringConvertible {
    /// A sentence for people.
    public var description: String { "the store is closed, because the node is stopping" }

    /// States that the store is closed.
    public init() {}
}
