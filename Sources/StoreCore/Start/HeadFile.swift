import EventLog
import Glibc

/// The small file that is rewritten at every commit without fsync: where the store last ran, and its own heads.
///
/// The operating system keeps it while the machine stays up, whatever the disk does, so after a crash of the process alone
/// it agrees with the database, and after a restore, a copy or a lying disk it does not (DESIGN §4).
///
/// ```
/// varde head file 0 <bytes below this line> <their SHA-256>
/// directory <device> <inode>
/// machine <machine id>
/// boot <boot id>
/// head <log id> <size> <root>
/// ```
struct HeadFile: Hashable {
    /// The directory that the file was written in.
    var directory: DirectoryIdentity
    /// The machine and boot that wrote it.
    var machine: MachineIdentity
    /// The heads of the node's own open logs, by log.
    var heads: [LogID: Head]

    /// A size and root.
    struct Head: Hashable {
        var size: UInt64
        var root: Hash
    }

    private static let title = "varde head file 0"
    /// No head file is read beyond this: room for 65 536 own logs.
    static let maximumBytes = 12 * 1024 * 1024

    init(directory: DirectoryIdentity, machine: MachineIdentity, heads: [LogID: Head]) {
        self.directory = directory
        self.machine = machine
        self.heads = heads
    }

    /// The bytes of the file, its lines in the order of the log ids.
    var bytes: [UInt8] {
        var text = "directory \(directory.device) \(directory.inode)\n"
        text += "machine \(machine.machine ?? "-")\nboot \(machine.boot ?? "-")\n"
        for (log, head) in heads.sorted(by: { $0.key < $1.key }) {
            text += "head \(log) \(head.size) \(head.root)\n"
        }
        let lines = [UInt8](text.utf8)
        return [UInt8]("\(HeadFile.title) \(lines.count) \(Hash.sha256(lines))\n".utf8) + lines
    }

    /// Reads a head file; nil for anything that was not written whole. Bytes after the stated count are what an earlier,
    /// longer file left behind.
    init?(bytes: [UInt8]) {
        guard let end = bytes.firstIndex(of: 0x0A), end < 200 else { return nil }
        let words = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ")
        guard words.count == 6, words[..<4].joined(separator: " ") == HeadFile.title, let count = Int(words[4]),
            let hash = Hash(hex: words[5]), count >= 0, count <= bytes.count - end - 1
        else { return nil }
        let lines = Array(bytes[(end + 1)..<(end + 1 + count)])
        guard Hash.sha256(lines) == hash else { return nil }
        directory = DirectoryIdentity(device: 0, inode: 0)
        machine = MachineIdentity(machine: nil, boot: nil)
        heads = [:]
        for line in String(decoding: lines, as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ").map(String.init)
            switch (words.first, words.count) {
            case ("directory", 3):
                guard let device = UInt64(words[1]), let inode = UInt64(words[2]) else { return nil }
                directory = DirectoryIdentity(device: device, inode: inode)
            case ("machine", 2): machine.machine = words[1] == "-" ? nil : words[1]
            case ("boot", 2): machine.boot = words[1] == "-" ? nil : words[1]
            case ("head", 4):
                guard let log = LogID(hex: words[1]), let size = UInt64(words[2]), let root = Hash(hex: words[3]) else {
                    return nil
                }
                heads[log] = Head(size: size, root: root)
            default: return nil
            }
        }
    }
}

/// Keeps the head file open and rewrites it in place.
final class HeadFileWriter: SmallFileWriting {
    private let path: String
    private let descriptor: Int32

    /// Opens the file, or makes it for the owner only. Nothing is written yet.
    init(path: String) throws {
        self.path = path
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SmallFile.error(path, "open the head file") }
    }

    deinit {
        close(descriptor)
    }

    /// Rewrites the file in one call, without fsync. A failure is let pass: a head file that does not agree costs the next
    /// start a new epoch, and the commit it belongs to is durable already.
    func write(_ bytes: [UInt8]) {
        _ = pwrite(descriptor, bytes, bytes.count, 0)
    }
}
