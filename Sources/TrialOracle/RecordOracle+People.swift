import EventLog
import Trial

/// Law M49 by the words of Protocols/merge.md.
extension RecordOracle {
    /// The assignments of each sending.
    private var assignments: [(id: EntryID, assignment: LabelAssignment)] {
        sendings.compactMap { entry in
            if case .labelAssigned(let assignment)? = entry.action?.operation { (entry.id, assignment) } else { nil }
        }
    }

    var labelHistory: Set<GivenLabel> {
        var given: [(id: ValueID, label: ParticipantLabel)] = assignments.map {
            (ValueID(entry: $0.id, position: 0), $0.assignment.label)
        }
        for entry in registrations {
            guard case .participantRegistered(let payload)? = entry.action?.operation else { continue }
            for place in payload.labels.indices {
                given.append((ValueID(entry: entry.id, position: UInt64(place)), payload.labels[place]))
            }
        }
        let standing = assignments.filter { name($0.id) == $0.id }.map(\.assignment)
        return Set(
            given.map { one in
                let same = given.filter {
                    name($0.id.entry) == name(one.id.entry) && $0.id.position == one.id.position
                        && $0.label == one.label
                }
                let isCorrected = standing.contains { assignment in
                    assignment.label.kind == one.label.kind
                        && (assignment.seen.contains(one.id) || same.contains { assignment.seen.contains($0.id) })
                }
                return GivenLabel(id: one.id, label: one.label, isCorrected: isCorrected)
            })
    }

    /// Every link that was not taken back.
    var links: [EntryID: LinkState] {
        var links: [EntryID: LinkState] = [:]
        for entry in entries {
            guard case .participantsLinked(let link)? = entry.action?.operation else { continue }
            links[entry.id] = LinkState(other: link.other, otherLocation: link.otherLocation)
        }
        for entry in entries {
            guard case .participantsUnlinked(let link)? = entry.action?.operation else { continue }
            for seen in link.seen { links[name(seen)] = nil }
        }
        return links
    }
}

extension Oracle {
    /// Labels that stand for people who are not linked, directly or by way of others.
    func labelFindings(_ locations: [LocationID: LocationSnapshot]) -> [ParticipantLabel: Set<ParticipantPlace>] {
        func place(_ location: LocationID, _ named: EntryID) -> ParticipantPlace {
            let records = locations[location]?.records ?? [:]
            let record = records.first { $0.key == named || $0.value.aliases.contains(named) }
            return ParticipantPlace(location, record?.key ?? named)
        }
        var pairs: [(ParticipantPlace, ParticipantPlace)] = []
        var owners: [ParticipantLabel: Set<ParticipantPlace>] = [:]
        for (location, snapshot) in locations {
            for (id, record) in snapshot.records {
                for link in record.links.values {
                    pairs.append((place(location, id), place(link.otherLocation, link.other)))
                }
                guard !record.isRemoved else { continue }
                for label in record.labels { owners[label, default: []].insert(place(location, id)) }
            }
        }
        return owners.filter { _, owners in
            guard var reached = owners.first.map({ Set([$0]) }) else { return false }
            var before = 0
            while reached.count != before {
                before = reached.count
                for (one, other) in pairs where reached.contains(one) || reached.contains(other) {
                    reached.formUnion([one, other])
                }
            }
            return !owners.isSubset(of: reached)
        }
    }
}
