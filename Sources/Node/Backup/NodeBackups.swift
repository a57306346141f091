import EventLog
import Foundation
import Store
import StoreCore
import Synchronization

/// Makes backups of a running node, one at a time, and keeps how far the one under way has come.
///
/// The store's thread copies, a few pages between two transactions; the copy is then checked on a thread of its own.
final class NodeBackups: Sendable {
    private struct State {
        var isRunning = false
        var progress: BackupProgress?
    }

    private let state = Mutex(State())
    /// Pages copied between two transactions: 256 KiB, about a millisecond that a person's save may wait.
    private static let pagesPerStep = 64

    /// How far the backup under way has come; nil where none is made.
    var progress: BackupProgress? { state.withLock { $0.progress } }

    /// Makes a backup in a new folder.
    ///
    /// - Throws: ``BackupError``, ``DirectoryError``, ``StoreCore/StoreError``.
    func make(
        to path: String, of directory: NodeDirectory, store: Store<NodeState>
    ) async throws -> BackupReport {
        guard
            state.withLock({ state in
                defer { state.isRunning = true }
                return !state.isRunning
            })
        else { throw BackupError.isRunning }
        defer { state.withLock { $0 = State() } }
        let clock = ContinuousClock()
        let start = clock.now
        let time = UTCText.iso8601(milliseconds: NodeClock().now().utcMilliseconds / 1000 * 1000)
        let folder = BackupFolder(path: path)
        try folder.prepare()
        let unfinished = folder.unfinished
        do {
            try unfinished.copySettings(from: directory)
            let heads = try await copy(store, to: unfinished.events)
            let (report, manifest) = try await onOwnThread { [self] in
                let report = try unfinished.check { progress in self.state.withLock { $0.progress = progress } }
                try unfinished.checkHolds(heads)
                return (report, try unfinished.finish(report, time: time, as: folder))
            }
            return BackupReport(report, manifest, at: path, took: clock.now - start)
        } catch {
            try? FileManager.default.removeItem(atPath: unfinished.path)
            throw error
        }
    }

    /// Copies the events file; gives the heads that the node held when it began.
    private func copy(_ store: Store<NodeState>, to path: String) async throws -> [LogHead] {
        let (copy, heads) = try await store.read { core, _ in
            (OnStoreThread(try core.beginCopy(to: path)), try core.heads().filter { $0.size > 0 })
        }
        do {
            while try await store.read({ _, _ in try copy.value.step(pages: NodeBackups.pagesPerStep) }) {
                let progress = try await store.read { _, _ in copy.value.progress }
                state.withLock {
                    $0.progress = BackupProgress(
                        phase: .copying, done: UInt64(progress.pages), total: UInt64(progress.total))
                }
            }
        } catch {
            try? await store.read { _, _ in copy.value.abandon() }
            throw error
        }
        return heads
    }
}

/// Holds what only the store's thread touches.
private final class OnStoreThread<Value>: @unchecked Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }
}

/// Does what blocks on a thread of its own.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        StoreThread.start { continuation.resume(with: Swift.Result(catching: body)) }
    }
}

extension BackupReport {
    init(_ report: VerificationReport, _ manifest: BackupManifest, at path: String, took duration: Duration) {
        let (seconds, attoseconds) = duration.components
        self.init(
            path: path, logs: report.logs, entries: report.entries, checkpoints: report.checkpoints,
            bytes: manifest.bytes, seconds: Double(seconds) + Double(attoseconds) * 1e-18)
    }
}

extension OfflineNode {
    /// Makes a backup of the stopped node in a new folder, and checks it.
    ///
    /// - Parameter progress: called now and then.
    /// - Throws: ``StoreCore/StoreError/locked(_:)`` where the node runs, ``BackupError``, ``DirectoryError``.
    public static func backup(
        _ directory: NodeDirectory, to path: String, progress: @escaping (BackupProgress) -> Void
    ) throws -> BackupReport {
        let lock = try DirectoryLock(directory: directory.path)
        defer { withExtendedLifetime(lock) {} }
        let clock = ContinuousClock()
        let start = clock.now
        let time = UTCText.iso8601(milliseconds: NodeClock().now().utcMilliseconds / 1000 * 1000)
        let folder = BackupFolder(path: path)
        let unfinished = folder.unfinished
        let reader = try StoreReader(directory: directory.path)
        try folder.prepare()
        do {
            try unfinished.copySettings(from: directory)
            let copy = try reader.beginCopy(to: unfinished.events)
            while try copy.step(pages: 1024) {
                let done = copy.progress
                progress(BackupProgress(phase: .copying, done: UInt64(done.pages), total: UInt64(done.total)))
            }
            let report = try unfinished.check(progress: progress)
            try unfinished.checkHolds(try reader.heads().filter { $0.size > 0 })
            let manifest = try unfinished.finish(report, time: time, as: folder)
            return BackupReport(report, manifest, at: path, took: clock.now - start)
        } catch {
            try? FileManager.default.removeItem(atPath: unfinished.path)
            throw error
        }
    }
}
