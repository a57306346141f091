import EventLog
import StoreCore
import Trial

/// Where the entries of a study's participants lie: read once, without what they say, so that participants can then be
/// folded one after another.
///
/// Holds 16 bytes for each entry and about 100 for each registration, and nothing of any value.
struct StudyIndex: Sendable {
    /// Where an entry lies.
    struct Place: Sendable {
        /// Index in ``StudyIndex/logs``.
        var log: UInt32
        /// What it belongs to: a group while it is a number of ``StudyIndex/groupCount``, else nothing.
        var group: UInt32
        var index: UInt64
    }

    /// The logs of the study's locations with how far each is read.
    private(set) var logs: [(log: StoredLog, end: UInt64)] = []
    private var places: [Place] = []
    /// For each group the index in `places` of its first; one more at the end.
    private var starts: [Int] = []
    private var locationsOfGroups: [LocationID] = []
    /// Entries of no participant, and those that name a registration which is not here, by location.
    private(set) var others: [LocationID: [Place]] = [:]
    private(set) var activity: [LocationID: [NodeID: NodeActivity]] = [:]
    /// What the logs' writers knew where.
    private(set) var knowledge: [LogID: LogKnowledge] = [:]
    /// Entries read.
    private(set) var entryCount = 0

    private static let noGroup = UInt32.max

    /// Reads the logs of a study's locations as they were at an arrival.
    init(of study: StudyID, atArrival arrival: Int64, _ reader: StoreReader, progress: (Int) -> Void) throws {
        let heads = try reader.heads(atArrival: arrival)
        var builder = Builder()
        for log in try reader.logs() {
            guard log.name.stream.study == study, let location = log.name.stream.location,
                let end = heads[log.name.id]
            else { continue }
            let number = UInt32(logs.count)
            logs.append((log, end))
            var known =
                knowledge[log.name.log] ?? LogKnowledge(writer: log.name.node, stream: log.name.stream)
            // In pieces, so that no snapshot is held for long: the node's write-ahead log could not be copied meanwhile.
            for from in stride(from: 0, to: end, by: 8_192) {
                try reader.forEachEntry(in: log.name.id, from: from, to: min(from + 8_192, end)) { stored in
                    let (concern, header) = EntryConcern.read(
                        stored.raw, id: stored.id, at: EntryAddress(log: log.name.log, index: stored.address.index),
                        stream: log.name.stream)
                    if let header {
                        known.note(header, at: stored.address.index)
                        activity[location, default: [:]][log.name.node, default: NodeActivity()].note(header)
                    }
                    let slot = builder.slot(of: concern, entry: stored.id, location)
                    places.append(Place(log: number, group: slot ?? StudyIndex.noGroup, index: stored.address.index))
                    entryCount += 1
                    return true
                }
                progress(entryCount)
            }
            knowledge[log.name.log] = known
        }
        arrange(builder)
    }

    /// The locations of which anything is here, be it unreadable.
    var locations: Set<LocationID> { Set(logs.compactMap(\.log.name.stream.location)) }

    /// Number of groups: registrations with what names them; those that share a command are one group.
    var groupCount: Int { locationsOfGroups.count }

    /// The location and the entries of a group.
    func group(_ number: Int) -> (location: LocationID, places: ArraySlice<Place>) {
        (locationsOfGroups[number], places[starts[number]..<starts[number + 1]])
    }

    /// Puts the entries of each group together, in the order of their addresses.
    private mutating func arrange(_ builder: Builder) {
        let (groups, locations) = builder.groups()
        locationsOfGroups = locations
        for index in places.indices {
            let slot = places[index].group
            let group = slot == StudyIndex.noGroup ? nil : groups[Int(slot)]
            places[index].group = group ?? StudyIndex.noGroup
            if group == nil, let location = logs[Int(places[index].log)].log.name.stream.location {
                others[location, default: []].append(places[index])
            }
        }
        // A counting sort: stable, so that addresses stay in order.
        var counts = [Int](repeating: 0, count: locations.count + 1)
        for place in places where place.group != StudyIndex.noGroup { counts[Int(place.group) + 1] += 1 }
        for group in locations.indices { counts[group + 1] += counts[group] }
        starts = counts
        var sorted = [Place](repeating: Place(log: 0, group: 0, index: 0), count: counts.last ?? 0)
        for place in places where place.group != StudyIndex.noGroup {
            sorted[counts[Int(place.group)]] = place
            counts[Int(place.group)] += 1
        }
        places = sorted
    }

    /// The entries at some places, in their order.
    func entries(at places: some Collection<Place>, _ reader: StoreReader) throws -> [WrittenEntry] {
        try places.map { place in
            let log = logs[Int(place.log)].log
            let stored = try reader.entry(in: log, at: place.index)
            return WrittenEntry(stored.raw, id: stored.id, at: stored.address, in: log.name)
        }
    }
}

/// Gives every registration that is named a slot, and joins those whose commands are the same.
private struct Builder {
    private struct Slot {
        var location: LocationID
        var key: RegistrationKey?
        var entry: EntryID
    }

    private struct SlotName: Hashable {
        var location: LocationID
        var registration: EntryID
    }

    private struct GroupName: Hashable {
        var location: LocationID
        var key: RegistrationKey
    }

    private var slots: [Slot] = []
    private var numbers: [SlotName: UInt32] = [:]

    mutating func slot(of concern: EntryConcern, entry: EntryID, _ location: LocationID) -> UInt32? {
        switch concern {
        case .other: return nil
        case .participant(let registration): return number(of: registration, location)
        case .registration(let key):
            let slot = number(of: entry, location)
            slots[Int(slot)].key = key
            return slot
        }
    }

    private mutating func number(of registration: EntryID, _ location: LocationID) -> UInt32 {
        let name = SlotName(location: location, registration: registration)
        if let known = numbers[name] { return known }
        let number = UInt32(slots.count)
        numbers[name] = number
        slots.append(Slot(location: location, key: nil, entry: registration))
        return number
    }

    /// For each slot its group, nil where the registration is not here; and each group's location.
    func groups() -> ([UInt32?], [LocationID]) {
        var known: [GroupName: UInt32] = [:]
        var locations: [LocationID] = []
        let groups = slots.map { slot -> UInt32? in
            guard let key = slot.key else { return nil }
            let name = GroupName(location: slot.location, key: key)
            if let group = known[name] { return group }
            let group = UInt32(locations.count)
            known[name] = group
            locations.append(slot.location)
            return group
        }
        return (groups, locations)
    }
}
