import Glibc

/// What tells one machine and one boot from another, as the operating system gives it.
public struct MachineIdentity: Hashable, Sendable {
    /// `/etc/machine-id`; nil where the system has none.
    public var machine: String?
    /// `/proc/sys/kernel/random/boot_id`; nil where it cannot be read.
    public var boot: String?

    /// States an identity.
    public init(machine: String?, boot: String?) {
        self.machine = machine
        self.boot = boot
    }

    /// The machine this process runs on.
    public static func current() -> MachineIdentity {
        MachineIdentity(
            machine: firstLine(of: "/etc/machine-id") ?? firstLine(of: "/var/lib/dbus/machine-id"),
            boot: firstLine(of: "/proc/sys/kernel/random/boot_id"))
    }

    /// The first line of a small file; nil where it is empty or cannot be read.
    private static func firstLine(of path: String) -> String? {
        guard let bytes = SmallFile.read(path, maximumBytes: 256) else { return nil }
        let line = bytes.prefix { $0 > 0x20 && $0 < 0x7F }
        return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
    }
}

/// A directory as the file system knows it: a copy has another inode, a restored one most often too.
public struct DirectoryIdentity: Hashable, Sendable {
    /// The device number.
    public var device: UInt64
    /// The inode number.
    public var inode: UInt64

    /// States an identity.
    public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
    }

    /// The directory at `path`.
    ///
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    public init(path: String) throws {
        var status = stat()
        guard stat(path, &status) == 0 else { throw SmallFile.error(path, "look at the directory") }
        self.init(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
    }
}

/// Reading and opening of files outside the database.
package enum SmallFile {
    /// At most `maximumBytes` of a file; nil where it cannot be read.
    package static func read(_ path: String, maximumBytes: Int) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: maximumBytes)
        var filled = 0
        while filled < maximumBytes {
            let count = bytes.withUnsafeMutableBytes { buffer in
                Glibc.read(descriptor, buffer.baseAddress! + filled, maximumBytes - filled)
            }
            if count < 0 { return nil }
            if count == 0 { break }
            filled += count
        }
        return Array(bytes[..<filled])
    }

    /// Makes a directory, and those above it, for the owner only.
    ///
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    package static func makeDirectory(_ path: String) throws {
        var status = stat()
        if stat(path, &status) == 0 { return }
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try makeDirectory(String(path[..<slash]))
        }
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw error(path, "make the directory") }
    }

    /// Makes an empty file for the owner only, where there is none.
    ///
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    package static func makeFile(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw error(path, "make the file") }
        close(descriptor)
    }

    /// The failure of the last call of the operating system.
    static func error(_ path: String, _ action: String) -> StoreError {
        .file(path: path, action: action, reason: String(cString: strerror(errno)))
    }
}
