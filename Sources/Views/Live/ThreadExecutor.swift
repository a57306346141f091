import Dispatch
import Store
import Synchronization

/// Runs an actor's jobs on one thread of its own, because they block in SQLite: the pool that Swift's tasks share is only as
/// wide as the machine has cores.
///
/// Invariants:
/// - jobs run on this one thread, one at a time, in the order in which they came;
/// - the thread lives as long as the process: what was enqueued is never left lying.
final class ThreadExecutor: SerialExecutor, Sendable {
    private struct Queue {
        var jobs: [UnownedJob] = []
        var isThreadAsleep = false
    }

    private let queue = Mutex(Queue())
    private let signal = DispatchSemaphore(value: 0)

    init() {
        StoreThread.start { [self] in
            while true {
                let jobs = queue.withLock { queue in
                    var jobs: [UnownedJob] = []
                    swap(&jobs, &queue.jobs)
                    queue.isThreadAsleep = jobs.isEmpty
                    return jobs
                }
                if jobs.isEmpty { signal.wait() }
                for job in jobs { job.runSynchronously(on: asUnownedSerialExecutor()) }
            }
        }
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let mustWake = queue.withLock { queue in
            queue.jobs.append(job)
            defer { queue.isThreadAsleep = false }
            return queue.isThreadAsleep
        }
        if mustWake { signal.signal() }
    }
}
