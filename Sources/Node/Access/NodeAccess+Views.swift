import Dispatch
public import EventLog
import Store
import StoreCore
public import Views

/// What a view says, and how far it has read.
public struct ViewReading<Contents: Sendable>: Sendable {
    /// What it says.
    public let contents: Contents
    /// Whether it holds everything that had come to this node when it was asked.
    public let isCurrent: Bool
}

/// The thread on which views are read: SQLite blocks, and the pool of tasks is only as wide as the machine has cores.
private let viewReading = DispatchQueue(label: "varde.views.reading")

extension NodeAccess {
    /// Asks the view of a study that is in service.
    ///
    /// Whoever was told before that an entry is durable finds it: the view is waited for until it holds all that had come
    /// when it was asked. That takes milliseconds, except while a view is made for the first time or much comes at once; so
    /// the wait is bounded, and the answer says whether it holds everything.
    /// - Parameter patience: how long it is waited for at most.
    /// - Throws: ``Views/ViewError``, among them that there is no view yet.
    public func readView<Contents: Sendable>(
        of study: StudyID, waitingAtMost patience: Duration = .seconds(2),
        _ body: @escaping @Sendable (ViewReader) throws -> Contents
    ) async throws -> ViewReading<Contents> {
        let directory = ViewDirectory(dataDirectory: views.dataDirectory)
        let newest = try await store.read { core, _ in try core.latestArrival() }
        let isCurrent = await views.wait(for: study, arrival: newest, atMost: patience)
        return try await withCheckedThrowingContinuation { continuation in
            viewReading.async {
                continuation.resume(
                    with: Result {
                        let reader = try ViewReader(directory, study: study)
                        return ViewReading(contents: try body(reader), isCurrent: isCurrent)
                    })
            }
        }
    }
}
