import EventLog
import Replication
import Testing
import Trial

/// Readers of bytes in our wire format: whatever comes, they read it or refuse it.
struct WireFuzzTests {
    private static let rounds = 6_000

    private func expectBoth(_ outcome: Fuzzing.Outcome, location: SourceLocation = #_sourceLocation) {
        #expect(outcome.read > 0 && outcome.refused > 0, "\(outcome)", sourceLocation: location)
    }

    @Test func `headers`() throws {
        expectBoth(
            Fuzzing.run(try Corpus.vectors("entries.json", "header"), rounds: Self.rounds, seed: 1) { bytes in
                let header = try EntryHeader(bytes: bytes)
                // What was read can be written and read again, and says the same.
                return try EntryHeader(bytes: header.bytes) == header
            })
    }

    @Test func `bodies, alone and against their headers`() throws {
        let headers = try Corpus.vectors("entries.json", "header")
        let bodies = try Corpus.vectors("entries.json", "body")
        var generator = SplitMix64(seed: 2)
        expectBoth(
            Fuzzing.run(bodies, rounds: Self.rounds, seed: 2) { bytes in
                let body = try EntryBody(bytes: bytes, partCount: 64)
                let raw = RawEntry(header: generator.pick(headers) ?? [], body: bytes)
                if let header = try? EntryHeader(bytes: raw.header) {
                    _ = try? Entry(checking: raw, at: header.index, of: header.log)
                }
                return body.parts.count == 64
            })
    }

    @Test func `openings of logs`() throws {
        expectBoth(
            Fuzzing.run(try Corpus.vectors("openings.json", "bytes"), rounds: Self.rounds, seed: 3) { bytes in
                let opening = try LogOpening(bytes: bytes)
                return try LogOpening(bytes: opening.bytes) == opening
            })
    }

    @Test func `parts of every operation`() throws {
        let vectors = try TestVectors.read("operations.json").vectors
        var (actions, refused) = (0, 0)
        for vector in vectors {
            let parts = try vector.given.list("parts").map { text -> (kind: PartKind, bytes: [UInt8]) in
                let pieces = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
                return (PartKind(rawValue: UInt64(pieces[0]) ?? 0), [UInt8](vectorHex: pieces[1]) ?? [])
            }
            let type = OperationType(rawValue: try vector.given.number("operation"))
            var mutator = Mutator(seed: 4, corpus: parts.map(\.bytes))
            for _ in 0..<200 {
                var altered = parts
                let place = mutator.generator.below(altered.count)
                altered[place].bytes = mutator.mutated(altered[place].bytes)
                if altered.reduce(0, { $0 + $1.bytes.count }) > 100_000 { continue }
                let draft = EntryDraft(
                    stream: .study(StudyID(RandomName(high: 1, low: 2))), operation: type,
                    authority: Authority(
                        actor: ActorID(RandomName(high: 1, low: 1)), kind: .person, role: .studyNurse,
                        authentication: .none), known: KnownVersions(),
                    command: CommandID(RandomName(high: 5, low: 5)), parts: altered)
                let entry = draft.sealed(
                    log: LogID(.zero), index: 1, hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: 0), software: "x",
                    using: &mutator.generator
                ).entry
                do throws(WireError) {
                    if let action = try Action(reading: entry) {
                        actions += 1
                        _ = action.parts()
                    }
                } catch {
                    #expect(!error.description.isEmpty)
                    refused += 1
                }
            }
        }
        #expect(actions > 0 && refused > 0)
    }

    @Test func `charters, signed charters and chains`() throws {
        let signed = try Corpus.vectors("charters.json", "versions")
        expectBoth(
            Fuzzing.run(signed, rounds: Self.rounds, seed: 5) { bytes in
                let version = try SignedCharter(bytes: bytes)
                var chain = CharterChain(foundingHash: version.hash)
                _ = try? chain.append(version)
                _ = try? Charter(bytes: version.charterBytes)
                return true
            })
        let chains = signed.compactMap { bytes in
            (try? SignedCharter(bytes: bytes)).flatMap { try? CharterChain(founding: $0) }?.bytes
        }
        expectBoth(
            Fuzzing.run(chains, rounds: 2_000, seed: 6) { bytes in !(try CharterChain(bytes: bytes)).isEmpty })
    }

    @Test func `messages between nodes`() throws {
        expectBoth(
            Fuzzing.run(try Corpus.vectors("replication.json", "bytes"), rounds: Self.rounds, seed: 7) { bytes in
                let message = try ReplicationMessage(bytes: bytes)
                return !message.bytes.isEmpty
            })
    }

    @Test func `frontiers`() throws {
        var frontier = MerkleFrontier()
        var samples: [[UInt8]] = []
        for index in 0..<70 {
            frontier.append(.sha256([UInt8(index)]))
            samples.append(frontier.bytes)
        }
        expectBoth(
            Fuzzing.run(samples, rounds: Self.rounds, seed: 8) { bytes in
                guard let read = MerkleFrontier(bytes: bytes) else { return false }
                return read.bytes == bytes
            })
    }
}
