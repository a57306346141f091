import EventLog
import StoreCore
import Testing
import Trial
import Views

/// Labels with their history, and records that are of one person.
@Suite struct PeopleTests {
    private func assign(_ text: String, to participant: EntryID, seen: [ValueID]) -> Trial.Operation {
        .labelAssigned(
            LabelAssignment(
                participant: participant, label: ParticipantLabel(kind: .subject, text: text), seen: seen))
    }

    private func link(
        _ one: EntryID, _ other: EntryID, at location: LocationID = GeneratedStudy.location, seen: [EntryID] = []
    ) -> ParticipantLink {
        ParticipantLink(participant: one, other: other, otherLocation: location, seen: seen)
    }

    private func withStore(_ body: (FoldedStore, (Int64) async throws -> Void) async throws -> Void) async throws {
        try await withScratch { path in
            let store = try FoldedStore(path, values: 240)
            try await store.withViews { views in
                try await views.wait(for: store.generated.study, arrival: 1)
                try await body(store) { arrival in
                    views.changed()
                    try await views.wait(for: store.generated.study, arrival: arrival)
                    try agrees(store)
                }
                let digest = try ViewReader(ViewDirectory(dataDirectory: path), study: store.generated.study).check()
                let outcome = try await views.rebuild(store.generated.study)
                #expect(outcome.comparison == .equal && outcome.digest == digest)
                try agrees(store)
            }
        }
    }

    /// The views say of people what the fold says.
    private func agrees(_ store: FoldedStore) throws {
        let (links, findings) = store.folded { ($0.peopleLinks, $0.labelFindings) }
        let listed = try store.rows(
            "SELECT entry_id, location, participant_id, other_location, other_id FROM people_link")
        #expect(
            Set(listed)
                == Set(
                    links.map { link -> [QueryValue] in
                        [
                            link.entry.description, link.record.location.text, link.record.participant.description,
                            link.other.location.text, link.other.participant.description,
                        ].map { .text($0) }
                    }))
        let shared = try store.rows("SELECT kind, text, location, participant_id FROM label_finding")
        #expect(
            Set(shared)
                == Set(
                    findings.flatMap { finding in
                        finding.participants.map { place -> [QueryValue] in
                            [
                                "\(finding.label.kind)", finding.label.text, place.location.text,
                                place.participant.description,
                            ].map { .text($0) }
                        }
                    }))
        #expect(shared.count == findings.reduce(0) { $0 + $1.participants.count })
    }

    @Test func `a label that was corrected is in the history, and what people are called follows the new one`()
        async throws
    {
        try await withStore { store, settled in
            let participant = try #require(store.participants.first)
            let first = ValueID(entry: participant, position: 0)
            let (entries, arrival) = try store.write(assign("P-NEW", to: participant, seen: [first]))
            try await settled(arrival)
            let history = try store.rows(
                """
                SELECT text, entry_id, is_corrected FROM label_history WHERE participant_id = '\(participant)'
                ORDER BY is_corrected
                """)
            #expect(history.count == 2)
            #expect(history.first == [.text("P-NEW"), .text(entries[0].description), .integer(0)])
            #expect(history.last?[2] == .integer(1))
            let called = try store.rows(
                "SELECT label, subject_number FROM participant WHERE participant_id = '\(participant)'")
            #expect(called == [[.text("P-NEW"), .text("P-NEW")]])
        }
    }

    @Test
    func `one label of several people is a finding until they are linked, also by way of others`()
        async throws
    {
        try await withStore { store, settled in
            let people = store.participants
            let (one, two, three) = (people[0], people[1], people[2])
            func own(_ participant: EntryID) -> [ValueID] { [ValueID(entry: participant, position: 0)] }
            var (_, arrival) = try store.write(
                assign("SAME", to: one, seen: own(one)), assign("SAME", to: two, seen: own(two)))
            try await settled(arrival)
            #expect(try store.rows("SELECT count(*) FROM label_finding") == [[.integer(2)]])
            // By way of a third record, and of one that is not here.
            let elsewhere = EntryID(.sha256([1]))
            let first = try store.write(
                .participantsLinked(link(one, elsewhere, at: LocationID(unchecked: "far"))),
                .participantsLinked(link(three, elsewhere, at: LocationID(unchecked: "far"))))
            try await settled(first.arrival)
            #expect(try store.rows("SELECT count(*) FROM label_finding") == [[.integer(2)]])
            let second = try store.write(.participantsLinked(link(three, two)))
            try await settled(second.arrival)
            #expect(try store.rows("SELECT count(*) FROM label_finding") == [[.integer(0)]])
            #expect(
                try store.rows("SELECT other_label FROM people_link WHERE other_location = 'ward'") == [[.text("SAME")]]
            )
            arrival = try store.write(.participantsUnlinked(link(three, two, seen: second.entries))).arrival
            try await settled(arrival)
            #expect(try store.rows("SELECT count(*) FROM label_finding") == [[.integer(2)]])
            #expect(try store.rows("SELECT count(*) FROM participant_link WHERE is_undone") == [[.integer(1)]])
            // Who was removed has no label that could be taken for another's.
            arrival = try store.write(.removed(Removal(participant: two, instances: []))).arrival
            try await settled(arrival)
            #expect(try store.rows("SELECT count(*) FROM label_finding") == [[.integer(0)]])
        }
    }
}
