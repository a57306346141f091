import EventLog
import Trial
import TrialOracle

/// Folds a set of entries in a given order, as a node of its own would.
struct Folding {
    private(set) var fold: StudyFold
    private var source = MemorySource()
    private let last: NetworkDirectory.Version?

    /// - Parameters:
    ///   - charterVersions: how many versions of the charter are known from the start.
    ///   - last: a version after the shared ones.
    init(study: StudyID, charterVersions: Int, last: NetworkDirectory.Version? = nil) {
        self.last = last
        fold = StudyFold(study: study, directory: TestNetwork.directory(charterVersions, last: last))
    }

    mutating func take(_ entries: some Sequence<WrittenEntry>) throws {
        for entry in entries {
            source.entries[entry.address] = entry
            try fold.insert(entry, source: source)
        }
    }

    /// Takes all of them in at once.
    mutating func takeTogether(_ entries: some Collection<WrittenEntry>) throws {
        for entry in entries { source.entries[entry.address] = entry }
        try fold.insert(contentsOf: entries, source: source)
    }

    mutating func learn(charterVersions: Int) throws {
        try fold.update(TestNetwork.directory(charterVersions, last: last), source: source)
    }

    /// The digests of the study's own stream and of all locations.
    mutating func digests() -> [StreamDigest] {
        let streams = [StreamID.study(fold.study)] + fold.locations.keys.sorted().map { .location($0, in: fold.study) }
        return streams.map { fold.digest(of: $0) }
    }

    /// What the fold and the oracle find out about the set, and whether they find out the same.
    func difference(from entries: [WrittenEntry]) -> String? {
        let oracle = Oracle(entries, study: fold.study, directory: fold.authority.directory)
        return StudySnapshot(fold).difference(from: oracle.snapshot)
    }
}
