import EventLog
import Foundation
import SwiftProtobuf
import Testing
import Trial

/// Figures rather than checks: run with the environment variable VARDE_MEASURE set, in a release build.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["VARDE_MEASURE"] != nil, "set VARDE_MEASURE"))
struct MeasurementTests {
    /// A save of plain items as a visit brings them: a number, a date, a code and a free text in turn, each of which
    /// replaces a value that was seen.
    private func save(items count: Int) -> Action {
        var generator = SplitMix64(seed: 1)
        let earlier = generator.entryID()
        var save = FormSave(
            participant: generator.entryID(),
            instances: [
                InstanceDeclaration(
                    kind: .studyEvent, parent: nil, oid: "SE.WEEK12", identity: .natural, beginsHere: false),
                InstanceDeclaration(kind: .form, parent: 0, oid: "F.PROM", identity: .natural, beginsHere: true),
                InstanceDeclaration(
                    kind: .itemGroup, parent: 1, oid: "IG.PROM.DAY", identity: .natural, beginsHere: true),
            ],
            changes: [])
        for number in 0..<count {
            let value: Value
            switch number % 4 {
            case 0: value = Value(kind: .integer, typed: "\(number)")
            case 1: value = Value(kind: .date, typed: "2026-11-24")
            case 2: value = Value(kind: .codes, typed: "2", codeList: "CL.NRS_PAIN_LEG", codes: ["2"])
            default: value = Value(kind: .text, typed: "verre om natten, bedre når hun går")
            }
            save.changes.append(
                Change(
                    instance: 2, item: ItemOID("I.PROM.PAIN_LEG_\(number)"), value: value, replaces: [UInt64(number)],
                    isCorrection: number % 4 == 0, isFreeText: number % 8 == 3))
            save.seen.append(ValueID(entry: earlier, position: UInt64(number)))
        }
        var provenance = Provenance(source: .direct)
        provenance.occurred = "2026-11-24"
        provenance.receivedUTCMilliseconds = 1_795_000_000_000
        provenance.language = "nb"
        return Action(command: CommandID(using: &generator), provenance: provenance, operation: .formSaved(save))
    }

    /// The median time of one call in nanoseconds, over rounds of so many calls.
    private func median(_ body: () throws -> Void) rethrows -> Int {
        let calls = 200
        var rounds: [Double] = []
        for _ in 0..<301 {
            let start = ContinuousClock.now
            for _ in 0..<calls { try body() }
            rounds.append(start.duration(to: .now) / .nanoseconds(calls))
        }
        return Int(rounds.sorted()[rounds.count / 2])
    }

    @Test(arguments: [5, 20])
    func `reading a save with our reader and with generated code`(items: Int) throws {
        var generator = SplitMix64(seed: 2)
        let action = save(items: items)
        let (entry, raw) = CodecLog.sealed(action, using: &generator)
        let structure = try #require(entry.bytes(of: .structure))
        let content = try #require(entry.bytes(of: .content))
        let texts = zip(entry.header.parts, entry.body.parts).compactMap { $0.kind == .text ? $1?.bytes : nil }
        #expect(try Action(reading: entry) == action)
        let address = EntryAddress(log: CodecLog.name.id, index: 5)
        let ours = try median { if try Action(reading: entry) == nil { throw NothingRead() } }
        let theirs = try median {
            let structure = try Varde_V0_FormSaved(serializedBytes: structure)
            let content = try Varde_V0_FormContent(serializedBytes: content)
            var read = structure.changes.count - content.values.count
            for text in texts { read += try Varde_V0_FreeText(serializedBytes: text).data.count - 1 }
            if read != 0 { throw NothingRead() }
        }
        let entryOurs = try median { if try Entry(trusting: raw, id: entry.id).id != entry.id { throw NothingRead() } }
        let entryTheirs = try median {
            let header = try Varde_V0_Header(serializedBytes: raw.header)
            let body = try Varde_V0_Body(serializedBytes: raw.body)
            if header.parts.count != body.parts.count { throw NothingRead() }
        }
        let whole = try median {
            if WrittenEntry(raw, id: entry.id, at: address, in: CodecLog.name).action == nil { throw NothingRead() }
        }
        print(
            """
            save of \(items) items, \(structure.count) + \(content.count) + \(texts.map(\.count)) bytes, medians of 301 rounds of 200:
              structure, content and texts: ours \(ours) ns, generated code \(theirs) ns
              header and body:              ours \(entryOurs) ns, generated code \(entryTheirs) ns
              all that ingest reads (WrittenEntry): \(whole) ns
            """)
    }

    private struct NothingRead: Error {}
}
