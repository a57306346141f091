import EventLog
import StoreCore
import Testing
import Trial
import Views

/// Lists in pieces say what the records say, whatever the size of the pieces.
@Suite struct ListTests {
    private func withConflicts(_ body: (FoldedStore, ViewReader) throws -> Void) async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 420)
            // Of every second participant one form conflicts in two items, and of one of them another was begun twice.
            for (place, participant) in store.participants.enumerated() where place % 2 == 0 {
                var save = store.generated.save(0, of: participant, number: 77)
                for line in save.instances.indices { save.instances[line].beginsHere = false }
                save.changes = Array(save.changes.prefix(2))
                _ = try store.write(.formSaved(save))
                if place == 2 { _ = try store.write(.formSaved(store.generated.save(1, of: participant, number: 78))) }
            }
            let built = try ViewRebuild(dataDirectory: path, context: store.context).build()
            let directory = ViewDirectory(dataDirectory: path)
            try directory.putInService(built)
            try body(store, try ViewReader(directory, study: store.generated.study))
        }
    }

    @Test func `participants come each once and in order in pieces of any size`() async throws {
        try await withConflicts { store, reader in
            let all = try reader.participants(limit: 100)
            #expect(all.next == nil)
            #expect(all.elements.map(\.label) == all.elements.map(\.label).sorted())
            #expect(Set(all.elements.map(\.participant)) == Set(store.participants))
            for size in 1...store.participants.count {
                var met: [ParticipantSummary] = []
                var next: ParticipantPosition?
                repeat {
                    let piece = try reader.participants(at: [GeneratedStudy.location], from: next, limit: size)
                    #expect(piece.elements.count <= size && !piece.elements.isEmpty)
                    met += piece.elements
                    next = piece.next
                } while next != nil
                #expect(met == all.elements, "pieces of \(size)")
            }
            #expect(try reader.participants(at: [LocationID(unchecked: "far")], limit: 5).elements.isEmpty)
            for summary in all.elements {
                let record = try #require(store.record(summary.participant))
                #expect(summary.labels == record.labels && summary.isRemoved == record.isRemoved)
                #expect(summary.statuses.map(\.entry) == record.standingStatuses.map(\.entry))
                #expect(summary.forms == record.instances.values.count { $0.shape.kind == .form })
                #expect(summary.conflicts == record.openConflicts.list.count)
            }
        }
    }

    @Test func `conflicts come whole in pieces of any size: every side with its name, values and where they came from`()
        async throws
    {
        try await withConflicts { store, reader in
            let all = try reader.openConflicts(limit: 100)
            #expect(all.next == nil && all.elements.count == store.counts?.conflicts)
            for size in 1...3 {
                var met: [ConflictSummary] = []
                var next: ParticipantPosition?
                repeat {
                    let piece = try reader.openConflicts(from: next, limit: size)
                    #expect(Set(piece.elements.map(\.participant)).count <= size)
                    met += piece.elements
                    next = piece.next
                } while next != nil
                #expect(met == all.elements, "pieces of \(size)")
            }
            #expect(Set(all.elements.map(\.kind)) == ["item", "instance"])
            for (participant, listed) in Dictionary(grouping: all.elements, by: \.participant) {
                let record = try #require(store.record(participant))
                let conflicts = record.openConflicts.list
                #expect(conflicts.count == listed.count)
                for (conflict, summary) in zip(conflicts, listed) { agrees(summary, conflict, record) }
            }
        }
    }

    private func agrees(_ summary: ConflictSummary, _ conflict: Conflict, _ record: ParticipantState) {
        #expect(summary.kind == "\(conflict.kind)" && summary.instance == conflict.instance)
        #expect(summary.item == conflict.item && summary.isWaiting == conflict.isWaiting)
        #expect(summary.event == "SE.V0" && summary.labels == record.labels)
        #expect(summary.sides.map(\.entry) == conflict.sides.map(\.name.entry))
        for (side, expected) in zip(summary.sides, conflict.sides) {
            switch expected.name {
            case .value(let id): #expect(side.position == id.position)
            case .beginning(let beginning): #expect(side.position == beginning.position)
            default: Issue.record("\(expected.name)")
            }
            let origin = record.origins[side.entry]
            #expect(side.origin?.node == origin?.node && side.origin?.actor == origin?.authority.actor)
            #expect(side.origin?.utcMilliseconds == origin?.time.utcMilliseconds)
            #expect(side.origin?.role == origin?.authority.role.description)
            #expect(side.values.map(\.id) == expected.values.map(\.held.id))
            #expect(side.values.map(\.group) == expected.values.map(\.group))
            #expect(side.values.map(\.item) == expected.values.map(\.item))
            for (value, held) in zip(side.values, expected.values) {
                #expect(value.value?.typed == held.held.value?.typed)
                let isSame = value.value.flatMap { one in held.held.value.map { one.says(theSameAs: $0) } }
                #expect(isSame == true)
            }
        }
    }
}
