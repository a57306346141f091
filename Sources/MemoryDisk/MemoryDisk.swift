package import StoreCore
import Synchronization

/// A disk in memory, with a virtual file system of SQLite's on it, that fails as disks do and whose machine can lose its
/// power at any operation.
///
/// Everything that was written is seen by the process at once, as with an operating system's cache; what was written since a
/// file's last sync is at risk when the machine stops. A disk is used on one thread at a time.
///
/// Invariants:
/// - an *operation* is a write, a sync, a truncation or a deletion; they are counted from 1;
/// - after the operation at which the machine stops, every operation and every reading fails until ``restart(_:using:)``;
/// - files of an earlier run are never changed by a later one, so handles that were left open do no harm.
///
/// Sendable although mutable, because the store's configuration carries it: its users keep it on one thread.
package final class MemoryDisk: @unchecked Sendable {
    /// What becomes of what was not synced.
    package enum Loss: Hashable, Sendable {
        /// The process ended: nothing is lost.
        case process
        /// The machine lost its power: each write since the last sync of its file is kept, lost, or cut anywhere.
        case power
    }

    /// Why an operation fails.
    package enum Failure: Hashable, Sendable {
        /// `ENOSPC` at a write.
        case full
        /// `EIO` at a sync; writes go on.
        case failedSync
        /// `EIO` at a write.
        case failedWrite
    }

    /// Every file as it was at a moment: a backup, or a copy of a virtual machine.
    package struct Image: Sendable {
        let files: [String: [UInt8]]
        let directory: DirectoryIdentity
    }

    /// The name under which SQLite knows the file system.
    package let name: String
    /// The operations so far.
    package private(set) var operations = 0
    /// The operations at which the machine stopped or that failed.
    package private(set) var failures = 0
    /// What tells the directory from copies of it.
    package private(set) var directory: DirectoryIdentity

    var files: [String: MemoryFile] = [:]
    private var isLocked = false
    private var failing: (from: Int, kind: Failure)?
    private var stopsAt: Int?
    /// True once the machine has stopped in an operation.
    package private(set) var isStopped = false
    let fileSystem: MemoryFileSystem

    private static let count = Atomic<Int>(0)

    /// An empty disk, registered with SQLite under a name of its own for as long as it is kept.
    package init() {
        let number = MemoryDisk.count.wrappingAdd(1, ordering: .relaxed).newValue
        name = "memory-\(number)"
        directory = DirectoryIdentity(device: 1, inode: UInt64(number))
        fileSystem = MemoryFileSystem(name: name)
        fileSystem.register(self)
    }

    deinit {
        fileSystem.unregister()
    }

    // MARK: Faults

    /// How the disk fails, or is about to.
    package var failure: Failure? { failing?.kind }

    /// From the operation `count` operations from now, operations of that kind fail until ``repair()``.
    package func fail(after count: Int, _ kind: Failure) {
        failing = (operations + count, kind)
    }

    /// Room is made, or the disk replaced by one with the same content.
    package func repair() {
        failing = nil
    }

    /// The machine stops in the operation `count` operations from now; nil to let it run.
    package func stop(after count: Int?) {
        stopsAt = count.map { operations + $0 }
    }

    /// Starts anew what stopped, or ended between two operations.
    package func restart(_ loss: Loss, using generator: inout some RandomNumberGenerator) {
        var after: [String: MemoryFile] = [:]
        for (path, file) in files.sorted(by: { $0.key < $1.key }) {
            let bytes = loss == .power ? file.afterLossOfPower(using: &generator) : file.bytes
            file.isGone = true
            // Shared memory is not on the disk.
            after[path] = MemoryFile(bytes)
        }
        files = after
        isStopped = false
        isLocked = false
        stopsAt = nil
    }

    /// Turns one bit of a file over; false where the file is empty or not there.
    package func flipBit(in path: String, using generator: inout some RandomNumberGenerator) -> Bool {
        guard let file = files[path], !file.bytes.isEmpty else { return false }
        let place = Int.random(in: 0..<file.bytes.count, using: &generator)
        file.bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        return true
    }

    /// Turns one bit over where a file has these bytes; false where it has them nowhere.
    package func flipBit(in path: String, amid bytes: [UInt8], using generator: inout some RandomNumberGenerator)
        -> Bool
    {
        guard let file = files[path], let first = bytes.first else { return false }
        let places = file.bytes.indices.filter { place in
            file.bytes[place] == first && file.bytes[place...].starts(with: bytes)
        }
        guard let start = places.randomElement(using: &generator) else { return false }
        file.bytes[start + Int.random(in: bytes.indices, using: &generator)] ^=
            1 << UInt8.random(in: 0..<8, using: &generator)
        return true
    }

    // MARK: Images

    /// All files as a process sees them now.
    package var image: Image { Image(files: files.mapValues(\.bytes), directory: directory) }

    /// Puts an image in the place of all files.
    ///
    /// - Parameter isSameDirectory: true for a machine that was set back, false for a backup that was restored or a copy.
    package func restore(_ image: Image, isSameDirectory: Bool) {
        for file in files.values { file.isGone = true }
        files = image.files.mapValues { MemoryFile($0) }
        isLocked = false
        isStopped = false
        stopsAt = nil
        if isSameDirectory {
            directory = image.directory
        } else {
            directory = DirectoryIdentity(
                device: 1, inode: UInt64(MemoryDisk.count.wrappingAdd(1, ordering: .relaxed).newValue))
        }
    }

    /// Takes all files away, as a new disk does.
    package func erase() {
        restore(Image(files: [:], directory: directory), isSameDirectory: false)
    }

    // MARK: Operations

    /// Counts an operation.
    ///
    /// - Returns: nil where it is to be done; else what fails, and whether the machine stops in it.
    func begin(_ operation: MemoryOperation) -> MemoryFault? {
        if isStopped { return .stopped }
        operations += 1
        if let stopsAt, operations >= stopsAt {
            isStopped = true
            failures += 1
            return .stopping
        }
        guard let failing, operations >= failing.from else { return nil }
        switch (failing.kind, operation) {
        case (.full, .write), (.failedWrite, .write), (.failedSync, .sync):
            failures += 1
            return .failure(failing.kind)
        default: return nil
        }
    }
}

/// What is done to a file.
enum MemoryOperation {
    case write, sync, truncate, delete
}

/// Why it is not done.
enum MemoryFault {
    /// The machine stops in the middle of it.
    case stopping
    /// The machine has stopped.
    case stopped
    /// The disk fails.
    case failure(MemoryDisk.Failure)
}

// MARK: - The files beside the database

extension MemoryDisk: DirectoryFiles {
    private final class Hold: DirectoryHold, @unchecked Sendable {
        private weak var disk: MemoryDisk?
        init(_ disk: MemoryDisk) { self.disk = disk }
        deinit { release() }

        func release() {
            disk?.isLocked = false
            disk = nil
        }
    }

    private final class Writer: SmallFileWriting {
        private let disk: MemoryDisk
        private let file: MemoryFile

        init(_ disk: MemoryDisk, _ file: MemoryFile) {
            self.disk = disk
            self.file = file
        }

        func write(_ bytes: [UInt8]) {
            switch disk.begin(.write) {
            case nil: file.write(bytes, at: 0)
            case .stopping: file.write(Array(bytes.prefix(bytes.count / 2)), at: 0)
            case .stopped, .failure: break
            }
        }
    }

    package func lock(_ directory: String) throws -> any DirectoryHold {
        guard !isLocked else { throw StoreError.locked(DirectoryLock.Holder(directory: directory, process: nil)) }
        isLocked = true
        return Hold(self)
    }

    package func identity(of directory: String) throws -> DirectoryIdentity { self.directory }

    package func makeFile(_ path: String) throws { _ = file(path) }

    package func read(_ path: String, maximumBytes: Int) -> [UInt8]? {
        files[path].map { Array($0.bytes.prefix(maximumBytes)) }
    }

    package func writer(_ path: String) throws -> any SmallFileWriting { Writer(self, file(path)) }

    /// The file at `path`, made where there is none.
    func file(_ path: String) -> MemoryFile {
        if let file = files[path] { return file }
        let file = MemoryFile([])
        files[path] = file
        return file
    }
}
