import EventLog
import Foundation
import Interchange
import Replication
import Testing
import Trial

/// Lengths and counts that claim gigabytes: memory is taken for what is there, never for what is claimed.
@Suite(.serialized)
struct HostileLengthTests {
    /// The most address space that this process ever had, in KiB.
    private func peakKiB() throws -> Int {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmPeak:") } ?? ""
        guard let peak = line.split(separator: " ").compactMap({ Int($0) }).first else {
            throw VectorError(name: "VmPeak in /proc/self/status")
        }
        return peak
    }

    /// Messages whose length fields say up to 2^63 bytes, in every field of every depth up to three.
    private var claims: [[UInt8]] {
        let lengths: [[UInt8]] = [
            [0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F], [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F],
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01],
        ]
        func tag(_ field: Int) -> [UInt8] {
            field < 16 ? [UInt8(field << 3 | 2)] : [UInt8(field << 3 & 0x7F | 0x82), UInt8(field >> 4)]
        }
        return (1...60).flatMap { field in
            lengths.flatMap { length -> [[UInt8]] in
                let plain = [0x08, 0x00] + tag(field) + length
                let inner = tag(1) + length
                return [plain, plain + [1, 2, 3], [0x08, 0x00] + tag(field) + [UInt8(inner.count)] + inner]
            }
        }
    }

    @Test func `no reader of our wire format takes memory for a length that is claimed`() throws {
        let before = try peakKiB()
        for bytes in claims {
            _ = try? EntryHeader(bytes: bytes)
            _ = try? EntryBody(bytes: bytes, partCount: 64)
            _ = try? LogOpening(bytes: bytes)
            _ = try? Charter(bytes: bytes)
            _ = try? SignedCharter(bytes: bytes)
            _ = try? CharterChain(bytes: bytes)
            _ = try? ReplicationMessage(bytes: bytes)
            for type in OperationType.names.keys {
                var generator = SplitMix64(seed: 1)
                let draft = EntryDraft(
                    stream: .study(StudyID(RandomName(high: 1, low: 2))), operation: OperationType(rawValue: type),
                    authority: Authority(
                        actor: ActorID(RandomName(high: 1, low: 1)), kind: .person, role: .studyNurse,
                        authentication: .none), known: KnownVersions(),
                    command: CommandID(RandomName(high: 5, low: 5)),
                    parts: [(.structure, bytes), (.content, Array(bytes.dropFirst(2)))])
                let entry = draft.sealed(
                    log: LogID(.zero), index: 1, hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: 0), software: "x",
                    using: &generator
                ).entry
                _ = try? Action(reading: entry)
            }
        }
        #expect(try peakKiB() - before < 2 * 1024 * 1024)
    }

    @Test func `texts that are deep, wide or long are refused for what they are`() throws {
        let before = try peakKiB()
        let deep = [UInt8](repeating: 0x5B, count: 4 << 20)
        let deepObjects = Array(String(repeating: "{\"a\":", count: 500_000).utf8)
        let deepXML = Array(("<ODM>" + String(repeating: "<a>", count: 500_000)).utf8)
        let deepYAML = Array(String(repeating: "[", count: 200_000).utf8)
        // Each name stands for ten of the one before: a thousand million lines in a few hundred bytes.
        let wideYAML = Array(
            ("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n"
                + (1..<10).map {
                    "a\($0): &a\($0) [" + Array(repeating: "*a\($0 - 1)", count: 10).joined(separator: ",") + "]\n"
                }
                .joined()).utf8)
        for bytes in [deep, deepObjects, deepXML, deepYAML, wideYAML] {
            _ = try? ProofFile(bytes: bytes)
            _ = try? FHIRBatchReader.read(bytes)
            _ = TrialPlanReader.read(bytes: bytes, fileName: "plan.yaml")
            _ = ODMMetadataReader.read(bytes: bytes, fileName: "study.xml")
            _ = ODMClinicalReader(definition: nil).readAll(bytes: bytes, fileName: "data.xml")
            _ = SiteDivisionReader.read(bytes: bytes, fileName: "sites.csv")
            _ = try? SignedCheckpoint(bytes: bytes)
            _ = try? LogProof(bytes: bytes)
            _ = try? NoteVerifierKey(text: String(decoding: bytes, as: UTF8.self))
        }
        #expect(try peakKiB() - before < 2 * 1024 * 1024)
    }
}
