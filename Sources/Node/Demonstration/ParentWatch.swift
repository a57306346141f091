import Foundation

/// Ends this process with the one that started it, however that one ends.
public enum ParentWatch {
    /// Ends this process in good order within a second of its parent's end.
    ///
    /// The kernel's own signal for this (`PR_SET_PDEATHSIG`) is sent when the *thread* ends that started the process, and
    /// the threads of Swift's pools come and go; so the parent is looked for instead.
    public static func endWithParent() {
        let parent = getppid()
        let watch = Thread {
            while getppid() == parent { usleep(200_000) }
            kill(getpid(), SIGTERM)
        }
        watch.stackSize = 64 * 1024
        watch.start()
    }
}
