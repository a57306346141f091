import Dispatch
import EventLog
import Synchronization

/// Hashes several stretches at a time, each thread with a connection of its own.
final class ParallelHashing {
    private let own: EventTables
    private let workers: Int
    private let hash: @Sendable (Chunk, EventTables) throws -> ChunkOutcome

    /// - Parameter own: the connection of the calling thread, for one worker.
    init(tables own: EventTables, workers: Int, hash: @escaping @Sendable (Chunk, EventTables) throws -> ChunkOutcome) {
        self.own = own
        self.workers = workers
        self.hash = hash
    }

    /// The outcomes of some stretches, in their order. Blocks the calling thread.
    func outcomes(of chunks: [Chunk]) throws -> [ChunkOutcome] {
        guard workers > 1, chunks.count > 1 else { return try chunks.map { try self.hash($0, own) } }
        let shared = Shared(chunks: chunks)
        let path = own.connection.path
        let hash = hash
        DispatchQueue.concurrentPerform(iterations: min(workers, chunks.count)) { _ in
            do {
                // Opened for one wave: opening takes a fraction of what one stretch does.
                let tables = try StoreReader(path: path).tables
                while let (number, chunk) = shared.claim() { shared.keep(try hash(chunk, tables), number) }
            } catch {
                shared.fail(error)
            }
        }
        return try shared.outcomes()
    }

    private final class Shared: Sendable {
        private struct State {
            var next = 0
            var outcomes: [Int: ChunkOutcome] = [:]
            var failure: (any Error)?
        }

        private let chunks: [Chunk]
        private let state = Mutex(State())

        init(chunks: [Chunk]) {
            self.chunks = chunks
        }

        func claim() -> (Int, Chunk)? {
            state.withLock { state in
                guard state.failure == nil, state.next < chunks.count else { return nil }
                defer { state.next += 1 }
                return (state.next, chunks[state.next])
            }
        }

        func keep(_ outcome: ChunkOutcome, _ number: Int) {
            state.withLock { $0.outcomes[number] = outcome }
        }

        func fail(_ error: any Error) {
            state.withLock { if $0.failure == nil { $0.failure = error } }
        }

        func outcomes() throws -> [ChunkOutcome] {
            try state.withLock { state in
                if let failure = state.failure { throw failure }
                return chunks.indices.compactMap { state.outcomes[$0] }
            }
        }
    }
}
