public import EventLog

/// A participant by the stream and the registration.
public struct ParticipantPlace: Hashable, Comparable, Sendable, Codable {
    /// The location in whose stream the record stands.
    public let location: LocationID
    /// The registration that stands for the participant.
    public let participant: EntryID

    /// Names a participant.
    public init(_ location: LocationID, _ participant: EntryID) {
        self.location = location
        self.participant = participant
    }

    /// Orders them in the same way everywhere.
    public static func < (left: ParticipantPlace, right: ParticipantPlace) -> Bool {
        (left.location, left.participant) < (right.location, right.participant)
    }
}

/// Two records that a person said are of one person.
public struct PeopleLink: Hashable, Sendable {
    /// The entry that says so.
    public let entry: EntryID
    /// The record in which it stands.
    public let record: ParticipantPlace
    /// The other record, which the link shows in too; named as the entry names it where its stream is not here.
    public let other: ParticipantPlace
}

/// One label that stands for several people. Over several streams, so it is in no stream's digest.
public struct LabelFinding: Hashable, Sendable {
    /// The label.
    public let label: ParticipantLabel
    /// Those who have it, sorted.
    public let participants: [ParticipantPlace]

    /// States a finding.
    package init(label: ParticipantLabel, participants: [ParticipantPlace]) {
        self.label = label
        self.participants = participants
    }
}

/// What is to be known of people over all streams that are here (`Protocols/merge.md`, M49).
extension StudyFold {
    /// Every link that nobody took back, by entry.
    public var peopleLinks: [PeopleLink] {
        var found: [PeopleLink] = []
        for (location, fold) in locations {
            for record in fold.records.values {
                for (entry, link) in record.standingLinks {
                    let other = locations[link.otherLocation]?.participant(link.other)?.id ?? link.other
                    found.append(
                        PeopleLink(
                            entry: entry, record: ParticipantPlace(location, record.id),
                            other: ParticipantPlace(link.otherLocation, other)))
                }
            }
        }
        return found.sorted { $0.entry < $1.entry }
    }

    /// The links that a record shows: its own, and those of others that name it.
    public func links(of place: ParticipantPlace) -> [PeopleLink] {
        peopleLinks.filter { $0.record == place || $0.other == place }
    }

    /// Labels that stand for more than one person. Records linked with each other are one person; removed ones are left out.
    public var labelFindings: [LabelFinding] {
        var places: [ParticipantLabel: [ParticipantPlace]] = [:]
        for (location, fold) in locations {
            for record in fold.records.values where !record.isRemoved {
                for label in record.labels {
                    places[label, default: []].append(ParticipantPlace(location, record.id))
                }
            }
        }
        let shared = places.filter { $0.value.count > 1 }
        guard !shared.isEmpty else { return [] }
        let people = peopleByPlace()
        return shared.filter { Set($0.value.map { people[$0] ?? $0 }).count > 1 }
            .map { LabelFinding(label: $0.key, participants: $0.value.sorted()) }.sorted { $0.label < $1.label }
    }

    /// For every linked record the lowest of those that are linked with it, also by way of others.
    private func peopleByPlace() -> [ParticipantPlace: ParticipantPlace] {
        var lowest: [ParticipantPlace: ParticipantPlace] = [:]
        let links = peopleLinks
        var changed = true
        while changed {
            changed = false
            for link in links {
                let one = lowest[link.record] ?? link.record
                let other = lowest[link.other] ?? link.other
                guard one != other else { continue }
                (lowest[link.record], lowest[link.other]) = (min(one, other), min(one, other))
                changed = true
            }
        }
        return lowest
    }
}
