import CLinux
import Foundation

/// Ends this process with the one that started it, however that one ends.
public enum ParentWatch {
    /// Asks the kernel to send SIGTERM here when the parent dies, and ends at once where it is dead already.
    public static func endWithParent() {
        _ = varde_end_with_parent()
        if getppid() == 1 { exit(0) }
    }
}
