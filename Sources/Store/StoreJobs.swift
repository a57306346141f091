import StoreCore

/// A write: its body runs in a savepoint of the group's transaction.
///
/// Sendable although mutable: `outcome` is touched on the store's thread only.
final class WriteJob<Companion, Result: Sendable>: StoreJob, @unchecked Sendable {
    private let body: @Sendable (StoreCore, inout Companion) throws -> Result
    private let continuation: CheckedContinuation<Result, any Error>
    private var outcome: Swift.Result<Result, any Error>?

    init(
        _ body: @escaping @Sendable (StoreCore, inout Companion) throws -> Result,
        _ continuation: CheckedContinuation<Result, any Error>
    ) {
        self.body = body
        self.continuation = continuation
    }

    func run(_ core: StoreCore, _ companion: inout Companion) {
        do {
            outcome = .success(try core.savepoint { try body(core, &companion) })
        } catch {
            outcome = .failure(error)
        }
    }

    func answer() {
        guard let outcome else { preconditionFailure("a write is answered before it ran") }
        continuation.resume(with: outcome)
    }

    func fail(_ error: any Error) {
        continuation.resume(throwing: error)
    }
}

/// A read: its body runs between transactions, and is answered at once.
final class ReadJob<Companion, Result: Sendable>: StoreJob, Sendable {
    private let body: @Sendable (StoreCore, inout Companion) throws -> Result
    private let continuation: CheckedContinuation<Result, any Error>

    init(
        _ body: @escaping @Sendable (StoreCore, inout Companion) throws -> Result,
        _ continuation: CheckedContinuation<Result, any Error>
    ) {
        self.body = body
        self.continuation = continuation
    }

    func run(_ core: StoreCore, _ companion: inout Companion) {
        do {
            continuation.resume(returning: try body(core, &companion))
        } catch {
            continuation.resume(throwing: error)
        }
    }

    func answer() {}

    func fail(_ error: any Error) {
        continuation.resume(throwing: error)
    }
}

/// Closes the store; the thread ends after it.
final class CloseJob<Companion>: StoreJob, Sendable {
    private let continuation: CheckedContinuation<Void, any Error>

    init(_ continuation: CheckedContinuation<Void, any Error>) {
        self.continuation = continuation
    }

    /// Does nothing: the thread closes the store itself once everything that waited is done.
    func run(_ core: StoreCore, _ companion: inout Companion) {}

    func answer() {
        continuation.resume()
    }

    func fail(_ error: any Error) {
        continuation.resume(throwing: error)
    }
}
