import EventLog
import Foundation
import Node
import Replication
import StoreCore
import Testing
import Trial

/// A bit that flips on a disk is found, isolated, and put right by a peer.
struct RepairTests {
    /// Flips one bit of the only place in an installation's events file that holds these bytes.
    private func flip(_ bytes: [UInt8], at offset: Int, in installation: Installation) throws {
        let path = StoreConfiguration.eventsFile(in: installation.path)
        var file = try Data(contentsOf: URL(filePath: path))
        let range = try #require(file.range(of: Data(bytes)))
        #expect(file[range.upperBound...].range(of: Data(bytes)) == nil)
        file[range.lowerBound + offset] ^= 0x10
        let handle = try FileHandle(forWritingTo: URL(filePath: path))
        try handle.seek(toOffset: UInt64(range.lowerBound + offset))
        try handle.write(contentsOf: [file[range.lowerBound + offset]])
        try handle.close()
    }

    enum Part: CaseIterable { case header, body, leaf, checkpoint }

    private func flip(_ part: Part, of entry: StoredEntry, note: [UInt8], in installation: Installation) throws {
        switch part {
        case .header: try flip(entry.raw.header, at: 60, in: installation)
        case .body: try flip(entry.raw.body, at: entry.raw.body.count - 9, in: installation)
        case .leaf: try flip(entry.raw.header + entry.id.hash.bytes, at: entry.raw.header.count + 3, in: installation)
        case .checkpoint: try flip(note, at: note.count - 40, in: installation)
        }
    }

    @Test(arguments: Part.allCases, [Ward.ous, Ward.unn])
    func `a flipped bit is found, not given to anybody, and repaired from a peer`(part: Part, writer: NodeID) throws {
        let ward = try Ward()
        for node in Hospital.nodes { for _ in 0..<4 { try ward.append(3, at: node) } }
        try ward.run(milliseconds: 500)
        let kept = try ward[Ward.ous].entries()
        let installation = ward[Ward.ous]
        let log = try #require(try installation.core?.logs().first { $0.name.node == writer })
        let address = EntryAddress(log: log.name.id, index: 5)
        let entry = try #require(try installation.core?.entry(at: address))
        let size = try #require(try installation.core?.checkpointSizes(of: log.name.id).first { $0 > 5 })
        let note = try #require(try installation.core?.checkpoint(of: log.name.id, size: size))
        try ward.stop(Ward.ous)
        try flip(part, of: entry, note: note, in: installation)

        try ward.cut(Ward.ous)
        try ward.start(installation)
        let core = try #require(installation.core)
        let marked = try ward.scrub(Ward.ous)
        if part == .checkpoint && writer == Ward.ous {
            // The node signs its own head again, and the signature is the same.
            #expect(marked.isEmpty)
            #expect(try core.checkpoint(of: log.name.id, size: size) == note)
        } else {
            #expect(marked.map(\.index) == [part == .checkpoint ? size : 5])
            #expect(try core.openDamage() == marked)
            #expect(try core.readRange(log: log.name.id, from: 5, maximumBytes: 1)?.end != size)
            for from in UInt64(0)...5 {
                // What stands before it is given up to the last checkpoint there, which for an own log is one of each commit.
                guard let range = try core.readRange(log: log.name.id, from: from, maximumBytes: .max) else { continue }
                #expect(part == .checkpoint ? range.end != size : range.end <= 5, "from \(from)")
            }
            if part != .checkpoint {
                #expect(try core.readRange(log: log.name.id, from: 5, maximumBytes: .max) == nil)
                if writer == Ward.ous {
                    #expect(try core.readRange(log: log.name.id, from: 4, maximumBytes: .max)?.end == 5)
                }
            }
            #expect(try core.incidents(limit: 5).contains { $0.kind == "damage" })
        }
        try ward.heal(Ward.ous)
        #expect(try ward.run(atMost: 20_000) { try core.openDamage().isEmpty })
        #expect(try core.entry(at: address) == entry)
        try ward.settle(keeping: kept)
        #expect(try ward.scrub(Ward.ous).isEmpty)
    }

    @Test(arguments: Part.allCases, [Ward.ous, Ward.unn])
    func `what is altered under a running node is put right on the disk, though memory still has it as it was`(
        part: Part, writer: NodeID
    ) throws {
        let ward = try Ward()
        for node in Hospital.nodes { for _ in 0..<4 { try ward.append(3, at: node) } }
        try ward.run(milliseconds: 500)
        let installation = ward[Ward.ous]
        // What is in the write-ahead log only cannot be altered in the file.
        try ward.stop(Ward.ous)
        try ward.start(installation)
        let core = try #require(installation.core)
        let log = try #require(try core.logs().first { $0.name.node == writer })
        let range = try #require(try core.readRange(log: log.name.id, from: 0, maximumBytes: .max))
        let entry = try #require(try core.entry(at: EntryAddress(log: log.name.id, index: 5)))
        let size = try #require(try core.checkpointSizes(of: log.name.id).first { $0 > 5 })
        let note = try #require(try core.checkpoint(of: log.name.id, size: size))
        try flip(part, of: entry, note: note, in: installation)
        #expect(try core.entry(at: entry.address) == entry, "memory has it as it was")
        let marked = try ward.scrub(Ward.ous)
        #expect(marked.isEmpty == (part == .checkpoint && writer == Ward.ous))
        #expect(try ward.run(atMost: 20_000) { try core.openDamage().isEmpty })
        #expect(try core.incidents(limit: 5).contains { $0.kind == "damage" })
        #expect(try ward.scrub(Ward.ous).isEmpty, "the disk has it as it was")
        #expect(try core.readRange(log: log.name.id, from: 0, maximumBytes: .max) == range)
    }

    @Test func `what nobody else holds stays isolated, and all else goes on`() throws {
        let ward = try Ward()
        try ward.cut(Ward.ous)
        try ward.append(6, at: Ward.ous)
        let installation = ward[Ward.ous]
        let log = try #require(try installation.core?.ownLogs().first)
        let entry = try #require(try installation.core?.entry(at: EntryAddress(log: log.name.id, index: 3)))
        try ward.stop(Ward.ous)
        try flip(entry.raw.body, at: entry.raw.body.count - 9, in: installation)
        try ward.start(installation)
        #expect(try ward.scrub(Ward.ous).map(\.index) == [3])
        try ward.heal(Ward.ous)
        try ward.append(2, at: Ward.haukeland)
        try ward.run(milliseconds: 5_000)
        #expect(try installation.core?.openDamage().map(\.index) == [3])
        // What stands before it was given, what stands behind it waits.
        #expect(try ward[Ward.unn].core?.log(log.name.id)?.head.size == 3)
        #expect(try ward[Ward.unn].core?.heads() == ward[Ward.haukeland].core?.heads())
    }

    @Test(arguments: [Part.header, .body, .leaf])
    func `what was altered on the disk is not folded again`(part: Part) throws {
        let ward = try Ward()
        for _ in 0..<4 { try ward.append(2, at: Ward.ous) }
        let installation = ward[Ward.ous]
        let log = try #require(try installation.core?.ownLogs().first)
        let addresses = (UInt64(0)..<8).map { EntryAddress(log: log.name.id, index: $0) }
        let entry = try #require(try installation.core?.entry(at: addresses[5]))
        try ward.stop(Ward.ous)
        try flip(part, of: entry, note: [], in: installation)
        let source = StoredEntries(core: try StoreReader(directory: installation.path))
        #expect(try source.entries(at: addresses).map(\.address) == addresses.filter { $0.index != 5 })
        #expect(source.damaged.map(\.index) == [5] && source.damaged.map(\.log) == [log.name.id])
    }

    @Test func `a leaf hash that lost a bit is no fork`() throws {
        let ward = try Ward()
        for _ in 0..<3 { try ward.append(2, at: Ward.unn) }
        try ward.run(milliseconds: 500)
        let installation = ward[Ward.ous]
        let log = try #require(try installation.core?.logs().first { $0.name.node == Ward.unn })
        let entry = try #require(try installation.core?.entry(at: EntryAddress(log: log.name.id, index: 2)))
        let range = try #require(try ward[Ward.unn].core?.readRange(log: log.name.id, from: 0, maximumBytes: .max))
        try ward.stop(Ward.ous)
        try flip(entry.raw.header + entry.id.hash.bytes, at: entry.raw.header.count + 3, in: installation)
        try ward.cut(Ward.ous)
        try ward.start(installation)
        let answer = try installation.ingest(range, name: log.name, from: Ward.unn, now: ward.now)
        guard case .failure(.failed) = answer.result else {
            Issue.record("\(answer.result)")
            return
        }
        #expect(try installation.core?.isForked(log.name.log) == false)
        #expect(try installation.core?.forkProofs().isEmpty == true)
    }
}
