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

    /// From now on these cannot be given again as they were written.
    mutating func damage(_ entries: some Sequence<WrittenEntry>) {
        source.damaged.formUnion(entries.map(\.address))
    }

    /// Has everything as it was written again, and takes it in again.
    mutating func repair(_ entries: some Sequence<WrittenEntry>) throws {
        source.damaged = []
        try take(entries)
    }

    /// Drops what orders that came into effect drop, as a store does; what comes later it drops as it comes.
    mutating func carryOut() throws {
        _ = fold.takeOrders()
        for (address, entry) in source.entries {
            guard let drops = entry.stream.location.flatMap({ fold.locations[$0]?.drops }), !drops.isEmpty else {
                continue
            }
            source.entries[address] = try entry.carriedOut(drops)
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

extension DropOrders {
    /// Whether all that this drops is dropped by another too.
    func isContained(in other: DropOrders) -> Bool {
        erasures.keys.allSatisfy { other.erasures[$0] != nil }
            && redactions.allSatisfy { entry, redaction in
                other.redactions[entry].map { redaction.parts.isSubset(of: $0.parts) } ?? false
            }
    }
}
