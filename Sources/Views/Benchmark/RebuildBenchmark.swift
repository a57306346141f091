import EventLog
import Foundation
import StoreCore
import Trial

/// How fast a study's view is rebuilt from its entries, beside the same outcome written plainly on SQLite.
public struct RebuildBenchmarkReport: Hashable, Sendable, Codable {
    /// Values in the entries.
    public var values: Int
    /// Participants.
    public var participants: Int
    /// Entries read.
    public var entries: Int
    /// Bytes of the entries, headers and bodies.
    public var entryBytes: Int
    /// Seconds of the rebuild, from the first entry read until the whole generation is on the disk.
    public var seconds: Double
    /// Processor seconds of the rebuild, over all threads: on a machine that does other things beside, this tells more.
    public var processorSeconds: Double
    /// Of `seconds`, those until every entry had been indexed.
    public var indexSeconds: Double
    /// Bytes of the generation.
    public var generationBytes: Int
    /// The most memory that this process held resident until then, bytes.
    public var peakResidentBytes: Int
    /// Values a second of SQLite alone: one row a form with its items as JSON, the last value of each item by sequence, out of
    /// a table of decoded values in key order.
    public var plainValuesPerSecond: Double
    /// Whether a second rebuild gave the same digest, and the rows add up to it.
    public var isEqual: Bool

    /// Values a second.
    public var valuesPerSecond: Double { seconds > 0 ? Double(values) / seconds : 0 }
    /// Seconds that one national year, 27.6 million values, takes at this speed.
    public var secondsForNationalYear: Double { valuesPerSecond > 0 ? 27_600_000 / valuesPerSecond : 0 }
}

/// Measures rebuilds on generated data.
public enum RebuildBenchmark {
    /// Writes a study of `values` values, rebuilds its view, and checks it.
    ///
    /// - Parameters:
    ///   - directory: a folder that is not there yet.
    ///   - values: how many values.
    ///   - valuesPerParticipant: how many of them a participant has.
    ///   - itemsPerForm: how many a form has.
    ///   - checksTwice: whether it is rebuilt a second time to compare digests.
    public static func run(
        directory: String, values: Int, valuesPerParticipant: Int = 2_000, itemsPerForm: Int = 20,
        checksTwice: Bool = true, progress: (String) -> Void = { _ in }
    ) throws -> RebuildBenchmarkReport {
        let core = try GeneratedStudy.store(in: directory)
        let generated = try GeneratedStudy(
            in: core, values: values, valuesPerParticipant: valuesPerParticipant, itemsPerForm: itemsPerForm
        ) { progress("writing \($0) of \(values) values as entries") }
        let entryBytes = try core.logs().reduce(0) { $0 + Int($1.byteCount) }
        try core.close()
        return try measure(
            dataDirectory: directory, context: generated.context, entryBytes: entryBytes, checksTwice: checksTwice,
            progress: progress)
    }

    /// Rebuilds the view of a study that is there, puts it into service, and checks it.
    ///
    /// - Parameters:
    ///   - directory: the node's data directory; the node does not run.
    ///   - context: what the view is built under.
    ///   - entryBytes: bytes of the study's entries, headers and bodies.
    ///   - checksTwice: whether it is rebuilt a second time to compare digests.
    public static func measure(
        dataDirectory directory: String, context: StudyViewContext, entryBytes: Int, checksTwice: Bool = true,
        progress: (String) -> Void = { _ in }
    ) throws -> RebuildBenchmarkReport {
        let rebuild = ViewRebuild(dataDirectory: directory, context: context)
        let clock = ContinuousClock()
        let processorStart = processorSeconds()
        let start = clock.now
        var indexed = start
        let built = try rebuild.build { step in
            if step.phase == .indexing { indexed = clock.now }
            progress("rebuilding, \(step.phase.rawValue) \(step.done)")
        }
        let seconds = (clock.now - start).inSeconds
        let processor = processorSeconds() - processorStart
        let peak = peakResidentBytes()
        let views = ViewDirectory(dataDirectory: directory)
        let path = views.file(built.study, built.generation)
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        let bytes = (attributes?[.size] as? NSNumber)?.intValue ?? 0
        try views.putInService(built)
        var isEqual = true
        if checksTwice {
            progress("rebuilding a second time")
            isEqual = try ViewReader(views, study: built.study).check() == built.digest
            isEqual = try rebuild.build().digest == built.digest && isEqual
        }
        progress("the same plainly on SQLite")
        let forms = max(1, built.counts.forms)
        let plainPath = FileManager.default.temporaryDirectory.path + "/varde-plain-\(UUID()).sqlite"
        defer { try? FileManager.default.removeItem(atPath: plainPath) }
        let plain = try plainValuesPerSecond(
            path: plainPath, forms: forms, itemsPerForm: max(1, built.counts.values / forms))
        return RebuildBenchmarkReport(
            values: built.counts.values, participants: built.counts.participants, entries: built.entries,
            entryBytes: entryBytes, seconds: seconds, processorSeconds: processor,
            indexSeconds: (indexed - start).inSeconds,
            generationBytes: bytes, peakResidentBytes: peak, plainValuesPerSecond: plain, isEqual: isEqual)
    }

    private static func plainValuesPerSecond(path: String, forms: Int, itemsPerForm: Int) throws -> Double {
        do throws(DatabaseFailure) {
            let connection = try Connection(path: path, access: .readWrite, vfs: nil)
            defer { connection.close() }
            try connection.execute(ViewSchema.buildingPragmas)
            try connection.execute(
                """
                CREATE TABLE written (form INTEGER, item INTEGER, sequence INTEGER, value TEXT,
                    PRIMARY KEY (form, item, sequence)) WITHOUT ROWID;
                CREATE TABLE current (form INTEGER PRIMARY KEY, cells TEXT);
                WITH RECURSIVE number (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM number
                    WHERE n < \(forms * itemsPerForm) - 1)
                INSERT INTO written SELECT n / \(itemsPerForm), n % \(itemsPerForm), n, n % 200 FROM number;
                """)
            let clock = ContinuousClock()
            let start = clock.now
            try connection.execute(
                """
                INSERT INTO current SELECT form, json_group_array(json_array(item, sequence, value)) FROM
                    (SELECT form, item, max(sequence) AS sequence, value FROM written GROUP BY form, item)
                GROUP BY form
                """)
            return Double(forms * itemsPerForm) / (clock.now - start).inSeconds
        } catch {
            throw ViewError.database(error)
        }
    }

    /// Processor seconds that this process has used.
    private static func processorSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// The most memory this process held resident, as Linux counts it (`VmHWM`).
    private static func peakResidentBytes() -> Int {
        let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1_024
    }
}
