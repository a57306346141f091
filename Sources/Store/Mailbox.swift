import Dispatch
import Synchronization
import StoreCore

/// One piece of work that waits for the store's thread.
protocol StoreJob<Companion>: AnyObject, Sendable {
    associatedtype Companion

    /// Does the work on the store's thread and keeps its outcome; nobody is answered yet.
    func run(_ core: StoreCore, _ companion: inout Companion)
    /// Tells the outcome of the work.
    func answer()
    /// Tells that the work came to nothing because of what happened around it.
    func fail(_ error: any Error)
}

/// What waits for the store's thread, in the order in which it came.
///
/// Invariants:
/// - `signal` has been signalled at least as often as the thread must wake;
/// - once closed, nothing is added.
final class Mailbox<Companion>: Sendable {
    private struct Waiting {
        var writes: [any StoreJob<Companion>] = []
        var reads: [any StoreJob<Companion>] = []
        var isClosed = false
        var isThreadAsleep = false
    }

    private let waiting = Mutex(Waiting())
    private let signal = DispatchSemaphore(value: 0)

    /// What the thread takes at once.
    struct Batch {
        var writes: [any StoreJob<Companion>]
        var reads: [any StoreJob<Companion>]
        /// Nothing more will come after this.
        var isLast: Bool

        /// Whether nothing came.
        var isEmpty: Bool { writes.isEmpty && reads.isEmpty && !isLast }
    }

    enum Kind {
        case read
        case write
    }

    /// Adds a job; false where the mailbox is closed.
    func add(_ job: any StoreJob<Companion>, _ kind: Kind) -> Bool {
        let (isTaken, mustWake) = waiting.withLock { waiting in
            if waiting.isClosed { return (false, false) }
            switch kind {
            case .read: waiting.reads.append(job)
            case .write: waiting.writes.append(job)
            }
            let mustWake = waiting.isThreadAsleep
            waiting.isThreadAsleep = false
            return (true, mustWake)
        }
        if mustWake { signal.signal() }
        return isTaken
    }

    /// How many writes wait to be taken.
    var waitingWrites: Int {
        waiting.withLock { $0.writes.count }
    }

    /// Lets the thread end once everything that waits is done.
    func close() {
        let mustWake = waiting.withLock { waiting in
            waiting.isClosed = true
            let mustWake = waiting.isThreadAsleep
            waiting.isThreadAsleep = false
            return mustWake
        }
        if mustWake { signal.signal() }
    }

    /// Waits on the store's own thread until something is there, and takes all of it.
    ///
    /// - Parameters:
    ///   - mayWait: false where the thread still holds work of its own.
    ///   - patience: how long to wait at most; then what is taken is nothing. Nil to wait for as long as it takes.
    func take(mayWait: Bool, patience: DispatchTimeInterval? = nil) -> Batch {
        while true {
            let batch: Batch? = waiting.withLock { waiting in
                if waiting.writes.isEmpty && waiting.reads.isEmpty && !waiting.isClosed && mayWait {
                    waiting.isThreadAsleep = true
                    return nil
                }
                let batch = Batch(writes: waiting.writes, reads: waiting.reads, isLast: waiting.isClosed)
                waiting.writes = []
                waiting.reads = []
                return batch
            }
            if let batch { return batch }
            if let patience {
                guard signal.wait(timeout: .now() + patience) == .timedOut else { continue }
                waiting.withLock { $0.isThreadAsleep = false }
                return Batch(writes: [], reads: [], isLast: false)
            }
            signal.wait()
        }
    }
}
