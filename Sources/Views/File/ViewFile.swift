import StoreCore

/// Opening a generation's file in the ways that there are.
enum ViewFile {
    /// Makes a file that was built without a journal one that readers and one writer can share.
    static func prepareForService(_ path: String) throws {
        do throws(DatabaseFailure) {
            let connection = try Connection(path: path, access: .readWrite, vfs: nil)
            defer { connection.close() }
            guard try connection.text("PRAGMA journal_mode = WAL") == "wal" else {
                throw DatabaseFailure(code: 1, message: "no write-ahead log can be kept", action: "open \(path)")
            }
        } catch {
            throw ViewError.database(error)
        }
    }

    /// Opens the file in service for its one writer.
    static func openForWriting(_ path: String) throws(DatabaseFailure) -> Connection {
        let connection = try Connection(path: path, access: .readWrite, vfs: nil)
        try connection.execute(ViewSchema.commonPragmas)
        guard try connection.text("PRAGMA journal_mode = WAL") == "wal" else {
            throw DatabaseFailure(code: 1, message: "no write-ahead log can be kept", action: "open \(path)")
        }
        try connection.execute(ViewSchema.servingPragmas)
        connection.watchWriteAheadLog()
        return connection
    }
}
