import Dispatch
import Synchronization

/// Holds a handler, and with it a polling thread, for as long as it is closed.
final class Gate: Sendable {
    private let opened = Mutex<DispatchSemaphore?>(nil)

    func close() {
        opened.withLock { $0 = DispatchSemaphore(value: 0) }
    }

    func open() {
        opened.withLock { semaphore in
            semaphore?.signal()
            semaphore = nil
        }
    }

    /// Called by the one handler that is held.
    func pass() {
        opened.withLock { $0 }?.wait()
    }
}
