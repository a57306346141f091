import Glibc

/// What the disk and SQLite can do at most: the figures that a benchmark is held against.
package struct DiskLimits {
    /// Rows a second of one bare table with the store's settings.
    package let insertsPerSecond: Double
    /// Milliseconds of writing one page and fsync, on average.
    package let fsyncMilliseconds: Double

    /// Measures both in a directory, each for `seconds`.
    ///
    /// - Throws: ``StoreError``.
    package static func measure(
        directory: String, bytesPerRow: Int, rowsPerCommit: Int, seconds: Double
    ) throws -> DiskLimits {
        try SmallFile.makeDirectory(directory)
        do {
            return DiskLimits(
                insertsPerSecond: try inserts(
                    directory + "/plain.sqlite", bytesPerRow: bytesPerRow, rowsPerCommit: rowsPerCommit,
                    seconds: seconds),
                fsyncMilliseconds: try fsyncs(directory + "/plain.bytes", seconds: min(seconds, 1)))
        } catch let failure as DatabaseFailure {
            throw StoreError.database(failure)
        }
    }

    private static func inserts(
        _ path: String, bytesPerRow: Int, rowsPerCommit: Int, seconds: Double
    ) throws -> Double {
        let connection = try Connection(path: path, access: .readWrite, vfs: nil)
        defer { connection.close() }
        try connection.execute(Schema.commonPragmas)
        _ = try connection.text("PRAGMA journal_mode = WAL")
        try connection.execute(Schema.writerPragmas)
        try connection.execute("CREATE TABLE IF NOT EXISTS plain (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT")
        connection.watchWriteAheadLog()
        let insert = try connection.prepare("INSERT INTO plain (bytes) VALUES (?1)")
        defer { insert.finalize() }
        let bytes = [UInt8](repeating: 0x5A, count: bytesPerRow)
        let clock = ContinuousClock()
        let start = clock.now
        var rows = 0
        while clock.now - start < .seconds(seconds) {
            try connection.execute("BEGIN IMMEDIATE")
            for _ in 0..<rowsPerCommit {
                insert.bind(1, bytes)
                try insert.run()
            }
            try connection.execute("COMMIT")
            rows += rowsPerCommit
            if connection.writeAheadLogPages > 2048 { try connection.checkpoint(truncating: false) }
        }
        return Double(rows) / elapsedSeconds(since: start)
    }

    private static func fsyncs(_ path: String, seconds: Double) throws -> Double {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw SmallFile.error(path, "make the file") }
        defer { close(descriptor) }
        let page = [UInt8](repeating: 0x5A, count: 4096)
        let clock = ContinuousClock()
        let start = clock.now
        var count = 0
        while clock.now - start < .seconds(seconds) {
            guard pwrite(descriptor, page, page.count, off_t(count % 2048) * 4096) == page.count, fsync(descriptor) == 0
            else { throw SmallFile.error(path, "write to") }
            count += 1
        }
        return elapsedSeconds(since: start) * 1000 / Double(max(1, count))
    }

    private static func elapsedSeconds(since start: ContinuousClock.Instant) -> Double {
        let elapsed = (ContinuousClock().now - start).components
        return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
    }
}
