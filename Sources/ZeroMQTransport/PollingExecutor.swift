import CZeroMQ
import Glibc
import Synchronization

/// One thread that runs an actor's jobs and, between them, polls the actor's sockets.
///
/// Invariants:
/// - Jobs and work run on this one thread only, one at a time.
/// - A job enqueued while the thread waits in a poll wakes it: whoever polls includes `wakeDescriptor` and calls
///   `clearWake()` when that is readable.
/// - The thread ends after `finish()` once every job has run; until then jobs are never left lying, so a call to a
///   stopped transport still returns.
public final class PollingExecutor: SerialExecutor, @unchecked Sendable {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var isWakePending = false
        var isFinished = false
    }

    private let queue = Mutex(Queue())
    private let threadIdentity = Atomic<UInt>(0)
    /// Readable when jobs wait.
    let wakeDescriptor: Int32
    /// Polls once and serves what is ready. Touched on the thread only; nil while there is nothing to poll.
    var work: (@Sendable () -> Void)?

    /// Starts the thread.
    init() throws(TransportError) {
        wakeDescriptor = varde_wake_open()
        guard wakeDescriptor >= 0 else {
            throw .outOfResources(operation: "make an event counter", reason: ErrorText.of(errno))
        }
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let status = pthread_create(
            &thread, nil,
            { context in
                guard let context else { return nil }
                Unmanaged<PollingExecutor>.fromOpaque(context).takeRetainedValue().run()
                return nil
            }, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw .outOfResources(operation: "start the polling thread", reason: ErrorText.of(status))
        }
        pthread_detach(thread)
    }

    deinit {
        if wakeDescriptor >= 0 { close(wakeDescriptor) }
    }

    /// Takes a job; callable from every thread.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = queue.withLock { queue in
            queue.jobs.append(job)
            defer { queue.isWakePending = true }
            return !queue.isWakePending
        }
        if mustWake { varde_wake_signal(wakeDescriptor) }
    }

    /// This executor as actors refer to it. Another actor may return the same from its `unownedExecutor`: calls between
    /// the two then change no thread.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Traps unless called on the polling thread.
    public func checkIsolated() {
        precondition(isOnThread, "this belongs to the polling thread of the ZeroMQ transport")
    }

    /// Whether the caller runs on the polling thread.
    public func isIsolatingCurrentContext() -> Bool? { isOnThread }

    /// Makes the thread end after the jobs that are waiting.
    func finish() {
        queue.withLock { $0.isFinished = true }
        varde_wake_signal(wakeDescriptor)
    }

    /// Must be called after a poll in which `wakeDescriptor` was readable.
    func clearWake() {
        varde_wake_clear(wakeDescriptor)
    }

    private var isOnThread: Bool {
        threadIdentity.load(ordering: .relaxed) == UInt(pthread_self())
    }

    private func run() {
        threadIdentity.store(UInt(pthread_self()), ordering: .relaxed)
        varde_thread_prepare("varde-zeromq")
        while true {
            let (jobs, isFinished) = takeJobs()
            for job in jobs {
                job.runSynchronously(on: asUnownedSerialExecutor())
            }
            if isFinished && jobs.isEmpty { break }
            if let work {
                work()
            } else {
                waitForWake()
            }
        }
    }

    /// From here on the next job wakes the thread anew, so nothing enqueued after this is overlooked.
    private func takeJobs() -> (jobs: [UnownedJob], isFinished: Bool) {
        queue.withLock { queue in
            var jobs: [UnownedJob] = []
            swap(&jobs, &queue.jobs)
            queue.isWakePending = false
            return (jobs, queue.isFinished)
        }
    }

    private func waitForWake() {
        var descriptor = pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
        while poll(&descriptor, 1, -1) < 0 && errno == EINTR {}
        clearWake()
    }
}

/// Milliseconds of a clock that never goes back; only differences mean anything.
func monotonicMilliseconds() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
}
