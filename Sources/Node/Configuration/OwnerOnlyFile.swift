import Foundation

/// What went wrong with a node's directory or one of its files.
public enum DirectoryError: Error, CustomStringConvertible {
    /// A file that must be there is not.
    case missing(path: String, advice: String)
    /// A file holds something else than it should.
    case unreadable(path: String, reason: String)
    /// A file or folder could not be written.
    case unwritable(path: String, reason: String)
    /// A secret can be read by others than its owner.
    case secretExposed(path: String)
    /// Something stands where something new was to be made.
    case alreadyThere(path: String, advice: String)

    /// What was wrong, where, and what to do.
    public var description: String {
        switch self {
        case .missing(let path, let advice): "\(path) is missing: \(advice)"
        case .unreadable(let path, let reason): "\(path) cannot be used: \(reason)"
        case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
        case .secretExposed(let path):
            "\(path) can be read by others than its owner; run 'chmod 600' on it and consider the key known to others"
        case .alreadyThere(let path, let advice): "\(path) is there already: \(advice)"
        }
    }
}

/// Reads and writes files that only their owner may open.
package enum OwnerOnlyFile {
    /// Makes a folder, and those above it, that only its owner may enter.
    package static func makeDirectory(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw DirectoryError.unwritable(path: path, reason: error.localizedDescription)
        }
    }

    /// Writes a new file; nothing that stands is overwritten unless `replacing` says so.
    package static func write(_ text: String, to path: String, replacing: Bool = false) throws {
        let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (replacing ? O_TRUNC : O_EXCL)
        let descriptor = open(path, flags, 0o600)
        guard descriptor >= 0 else {
            if errno == EEXIST {
                throw DirectoryError.alreadyThere(path: path, advice: "it is not overwritten; choose another folder")
            }
            throw DirectoryError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        do {
            try handle.write(contentsOf: Data(text.utf8))
            try handle.synchronize()
        } catch {
            throw DirectoryError.unwritable(path: path, reason: error.localizedDescription)
        }
    }

    /// Puts a whole new file in the place of one that stands, so that nobody ever reads half of it.
    package static func exchange(_ text: String, at path: String) throws {
        let next = path + ".new"
        // One that was left there may be open to others.
        unlink(next)
        try write(text, to: next)
        guard rename(next, path) == 0 else {
            throw DirectoryError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
    }

    /// What a file says that programs and people read: JSON, indented, with its members in order.
    package static func json(_ contents: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(contents), as: UTF8.self) + "\n"
    }

    /// Reads JSON.
    ///
    /// - Parameters:
    ///   - text: what a file says.
    ///   - path: the file.
    ///   - reason: what is wrong with a file that says something else, from what the reader found.
    /// - Throws: ``DirectoryError/unreadable(path:reason:)``.
    package static func decode<Contents: Decodable>(
        _ text: String, of path: String, else reason: (any Error) -> String
    ) throws -> Contents {
        do {
            return try JSONDecoder().decode(Contents.self, from: Data(text.utf8))
        } catch {
            throw DirectoryError.unreadable(path: path, reason: reason(error))
        }
    }

    /// Reads a secret, refusing one that others may read.
    package static func readSecret(_ path: String, advice: String) throws -> String {
        var information = stat()
        guard stat(path, &information) == 0 else { throw DirectoryError.missing(path: path, advice: advice) }
        guard information.st_mode & 0o077 == 0 else { throw DirectoryError.secretExposed(path: path) }
        return try read(path, advice: advice)
    }

    /// Reads a file as UTF-8.
    package static func read(_ path: String, advice: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw DirectoryError.missing(path: path, advice: advice)
        }
        guard let text = String(data: data, encoding: .utf8) else {
            throw DirectoryError.unreadable(path: path, reason: "it is not text")
        }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }
}

/// What tells one state of a file from another without reading it.
package struct FileStamp: Hashable, Sendable {
    private let seconds: Int
    private let nanoseconds: Int
    private let byteCount: Int64
    private let inode: UInt64
    private let mode: UInt32

    /// Looks at a file; nil where there is none.
    package init?(of path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        seconds = Int(information.st_mtim.tv_sec)
        nanoseconds = Int(information.st_mtim.tv_nsec)
        byteCount = Int64(information.st_size)
        inode = UInt64(information.st_ino)
        mode = information.st_mode
    }
}
