import Glibc
import Synchronization

/// The lock of a data directory: one process at a time opens the store in it.
///
/// Held by `flock` on a small file, so the operating system gives it up when the process ends however it ends.
public final class DirectoryLock: DirectoryHold {
    /// The open lock file; nil once it was given up.
    private let descriptor: Mutex<Int32?>

    /// Who holds a lock that was asked for.
    public struct Holder: Hashable, Sendable, CustomStringConvertible {
        /// The data directory.
        public let directory: String
        /// The process that holds it; nil where it did not say.
        public let process: Int32?

        /// States who holds a directory.
        package init(directory: String, process: Int32?) {
            self.directory = directory
            self.process = process
        }

        /// A sentence for people.
        public var description: String {
            let who = process.map { "process \($0)" } ?? "another process"
            return "the data directory \(directory) is in use by \(who): stop that node first, or use another directory"
        }
    }

    /// Takes the lock, and writes the number of this process into the file. The directory is made where it is not there.
    ///
    /// - Throws: ``StoreError/locked(_:)`` where another holds it, or ``StoreError/file(path:action:reason:)``.
    public init(directory: String) throws {
        try SmallFile.makeDirectory(directory)
        let path = StoreConfiguration.lockFile(in: directory)
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SmallFile.error(path, "open the lock file") }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            close(descriptor)
            guard reason == EWOULDBLOCK else {
                errno = reason
                throw SmallFile.error(path, "lock")
            }
            let text = SmallFile.read(path, maximumBytes: 32).map { String(decoding: $0, as: UTF8.self) }
            let process = text.flatMap { Int32($0.prefix { $0.isNumber }) }
            throw StoreError.locked(Holder(directory: directory, process: process))
        }
        // The number is a courtesy to whoever comes second; the lock holds without it.
        let text = [UInt8]("\(getpid())\n".utf8)
        if ftruncate(descriptor, 0) == 0 { _ = pwrite(descriptor, text, text.count, 0) }
        self.descriptor = Mutex(descriptor)
    }

    deinit {
        release()
    }

    /// Gives the directory up now, whoever else still refers to this lock. A second call does nothing.
    public func release() {
        descriptor.withLock {
            if let open = $0 { close(open) }
            $0 = nil
        }
    }
}
