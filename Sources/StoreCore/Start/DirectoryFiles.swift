/// What holds a data directory for one process, until it is let go.
package protocol DirectoryHold: AnyObject, Sendable {
    /// Gives the directory up now, whoever else still refers to this. A second call does nothing.
    func release()
}

/// A small file that is kept open and rewritten in place.
package protocol SmallFileWriting: AnyObject {
    /// Rewrites the file in one call, without fsync. A failure is let pass.
    func write(_ bytes: [UInt8])
}

/// A data directory as the store asks for it beside the database: its lock, what it is, and its small files.
package protocol DirectoryFiles: Sendable {
    /// Takes the directory's lock; the directory is made where it is not there.
    ///
    /// - Throws: ``StoreError/locked(_:)`` where another process holds it, or ``StoreError/file(path:action:reason:)``.
    func lock(_ directory: String) throws -> any DirectoryHold
    /// What tells the directory from a copy of it.
    ///
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    func identity(of directory: String) throws -> DirectoryIdentity
    /// Makes an empty file for the owner only, where there is none.
    ///
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    func makeFile(_ path: String) throws
    /// At most `maximumBytes` of a file; nil where it cannot be read.
    func read(_ path: String, maximumBytes: Int) -> [UInt8]?
    /// Opens a file to be rewritten, or makes it for the owner only. Nothing is written yet.
    ///
    /// - Throws: ``StoreError/file(path:action:reason:)``.
    func writer(_ path: String) throws -> any SmallFileWriting
}

/// The operating system's files.
struct SystemFiles: DirectoryFiles {
    func lock(_ directory: String) throws -> any DirectoryHold { try DirectoryLock(directory: directory) }

    func identity(of directory: String) throws -> DirectoryIdentity { try DirectoryIdentity(path: directory) }

    func makeFile(_ path: String) throws { try SmallFile.makeFile(path) }

    func read(_ path: String, maximumBytes: Int) -> [UInt8]? { SmallFile.read(path, maximumBytes: maximumBytes) }

    func writer(_ path: String) throws -> any SmallFileWriting { try HeadFileWriter(path: path) }
}
