import Glibc

/// Runs a function on a thread of its own, outside the pool that Swift's tasks share: the store blocks in fsync, and the
/// pool is only as wide as the machine has cores.
package enum StoreThread {
    /// What the new thread is to do.
    private final class Start: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Bytes of the thread's stack: decisions of the callers run on it.
    private static let stackBytes = 8 * 1024 * 1024

    /// Starts `body` on a new thread. Traps where the system has no thread left: nothing could go on without it.
    package static func start(_ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(body))
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
                return nil
            }, start.toOpaque())
        precondition(code == 0, "the operating system gives no thread for the store")
    }
}
