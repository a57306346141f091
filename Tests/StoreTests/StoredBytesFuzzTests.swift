import EventLog
import Foundation
import StoreCore
import Testing

/// Bytes of the store's files that are not what was written: the store says so, and never traps.
struct StoredBytesFuzzTests {
    private func write(_ bytes: [UInt8], to path: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }

    private func altered(_ bytes: [UInt8], using generator: inout SeededGenerator) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes.remove(at: place)
            case 2: bytes.insert([0x20, 0x0A, 0x2D, 0x39].randomElement(using: &generator)!, at: place)
            case 3: bytes.removeSubrange(place...)
            default: bytes.insert(contentsOf: bytes[place...].prefix(90), at: place)
            }
        }
        return bytes
    }

    @Test func `whatever the head file holds, the start has a verdict, and agrees only with heads that are right`()
        throws
    {
        let directory = TemporaryDirectory()
        let core = try Fixture.open(directory)
        for number in 0..<3 { try core.appendOne(Fixture.draft(UInt64(number))) }
        try core.close()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.headFile)))
        let title = try Fixture.required(whole.firstIndex(of: 0x0A))
        let lines = Array(whole[(title + 1)...])
        var generator = SeededGenerator(seed: 5)
        var differing = 0
        for round in 0..<150 {
            var bytes = altered(whole, using: &generator)
            if round % 2 == 0 {
                // Lines that nobody wrote, under a hash that fits them.
                let other = altered(lines, using: &generator)
                bytes = [UInt8]("varde head file 0 \(other.count) \(Hash.sha256(other))\n".utf8) + other
            }
            // A copy beside the file, so that the directory stays the one that was written in.
            try write(bytes, to: directory.headFile)
            let core = try Fixture.open(directory)
            if core.startVerdict != .agrees { differing += 1 }
            try core.close()
        }
        #expect(differing > 100, "\(differing)")
    }

    @Test func `bytes of the events file turned anywhere are reported or refused, by every reader`() throws {
        let directory = TemporaryDirectory()
        let core = try FullStore.make(in: directory)
        try core.close()
        let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: directory.eventsFile)))
        var generator = SeededGenerator(seed: 6)
        var noticed = 0
        for round in 0..<300 {
            let copy = try directory.copy()
            var bytes = whole
            let count = round % 3 == 0 ? 60 : 1
            for _ in 0..<count {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            if round % 10 == 9 { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &generator)) }
            try write(bytes, to: copy.eventsFile)
            do {
                let reader = try StoreReader(directory: copy.path)
                for log in try reader.logs() {
                    try reader.forEachEntry(in: log.name.id) { entry in
                        _ = try? entry.parsed()
                        return true
                    }
                    for size in try reader.checkpointSizes(of: log.name.id) {
                        _ = try reader.checkpoint(of: log.name.id, size: size).map { try? SignedCheckpoint(bytes: $0) }
                    }
                    _ = try reader.inclusionProof(
                        of: EntryAddress(log: log.name.id, index: 0), size: log.head.size)
                    _ = try reader.frontier(of: log.name.id, size: log.head.size)
                    _ = try reader.readRange(log: log.name.id, from: 0, maximumBytes: 100_000)
                }
                _ = try reader.orders()
                _ = try reader.charters()
                _ = try reader.forkProofs()
                _ = try reader.incidents(limit: 10)
                _ = try reader.entries(sinceArrival: 0, limit: 1_000)
                let report = try LogVerification.run(on: reader, writerKey: Fixture.publicKey)
                if !report.isSound { noticed += 1 }
            } catch {
                #expect(!"\(error)".isEmpty)
                noticed += 1
            }
        }
        // Bytes of free space, and of what is no part of the logs, may be turned without harm.
        #expect(noticed > 100, "\(noticed)")
    }
}
