public import EventLog

/// Redaction and erasure (`Protocols/merge.md`, M50 to M53).
extension LocationFold {
    // MARK: What they come to

    /// The participants who were erased, by the lowest registration that an order on their handles names.
    public var erasedParticipants: [EntryID: ErasedParticipant] {
        var people: [EntryID: ErasedParticipant] = [:]
        for (handle, named) in drops.erasures {
            guard let id = named.values.min() else { continue }
            var person = people[id] ?? ErasedParticipant(id: id)
            person.handles.insert(handle)
            person.orders = Set(person.orders).union(named.keys).sorted()
            for (entry, known) in erased[handle] ?? [:] {
                if known.isRegistration { person.registrations.insert(entry) }
                person.entryCount += 1
            }
            people[id] = person
        }
        return people
    }

    /// The erased participant whom a registration names, be it the one in the orders or any other of theirs; nil where it
    /// names nobody who was erased.
    public func erasedParticipant(_ reference: EntryID) -> ErasedParticipant? {
        if drops.erasures.isEmpty { return nil }
        let people = erasedParticipants
        return people[reference] ?? people.values.first { $0.registrations.contains(reference) }
    }

    /// The entries of an erased participant that are here, of which only the headers say anything.
    public func entries(of participant: ErasedParticipant) -> [EntryID] {
        participant.handles.flatMap { (erased[$0] ?? [:]).keys }.sorted()
    }

    /// Whether what is dropped changed since this was last asked: what was shown before must then leave every file.
    mutating func takeDropsChanged() -> Bool {
        defer { haveDropsChanged = false }
        return haveDropsChanged
    }

    /// The orders that came into effect since this was last asked, for whoever carries them out.
    mutating func takeOrders() -> [OrderInEffect] {
        defer { newOrders = [] }
        return newOrders
    }

    // MARK: Entries under orders

    func isErased(_ entry: WrittenEntry) -> Bool {
        guard !drops.erasures.isEmpty, let subject = entry.subject, entry.operation?.ordersDrop == false else {
            return false
        }
        return drops.erasures[subject] != nil
    }

    mutating func noteErased(_ entry: WrittenEntry) {
        guard let subject = entry.subject else { return }
        erased[subject, default: [:]][entry.id] = ErasedEntry(
            address: entry.address, isRegistration: entry.operation == .participantRegistered)
        for registration in drops.erasures[subject]?.values ?? [:].values { unreported?.insert(registration) }
    }

    /// What orders leave of an entry.
    func redacted(_ entry: WrittenEntry) -> WrittenEntry {
        drops.redaction(of: entry).map { entry.dropping($0.parts) } ?? entry
    }

    /// What orders take from any of some entries.
    func redactions(of entries: [WrittenEntry]) -> [EntryID: Redaction] {
        if drops.redactions.isEmpty { return [:] }
        var found: [EntryID: Redaction] = [:]
        for entry in entries { found[entry.id] = drops.redaction(of: entry) }
        return found
    }

    // MARK: Orders that come and go

    /// Keeps an order while it has effect.
    mutating func settleOrder(_ entry: WrittenEntry, _ judgement: Judgement) {
        guard let order = entry.dropOrder else { return }
        guard case .effect(let finding) = judgement else {
            orders[entry.id] = nil
            findings[entry.id] = nil
            return
        }
        findings[entry.id] = finding
        let inEffect = OrderInEffect(entry: entry.id, address: entry.address, stream: entry.stream, order: order)
        if orders.updateValue(inEffect, forKey: entry.id) == nil { newOrders.append(inEffect) }
    }

    /// Works out what is dropped now, and lets what came to be dropped, or is not any more, be so.
    mutating func dropsMayHaveChanged(source: some EntrySource, judge: Judge) throws {
        var now = givenDrops
        for order in orders.values { now.add(order) }
        let before = drops
        guard now != before else { return }
        drops = now
        haveDropsChanged = true
        for handle in now.erasures.keys.sorted() where before.erasures[handle] == nil {
            try takeOut(handle, source: source, judge: judge)
        }
        for (handle, named) in now.erasures where before.erasures[handle] != named {
            unreported?.formUnion(named.values)
            unreported?.formUnion(before.erasures[handle]?.values ?? [:].values)
        }
        // Where an order turns out to have no effect, its entries are read again: as far as they are still here.
        for handle in before.erasures.keys.sorted() where now.erasures[handle] == nil {
            unreported?.formUnion(before.erasures[handle]?.values ?? [:].values)
            let addresses = (erased.removeValue(forKey: handle) ?? [:]).mapValues(\.address)
            for entry in try given(addresses, by: source) { try enter(entry, source: source, judge: judge) }
        }
        let redacted = Set(now.redactions.keys).union(before.redactions.keys).filter {
            now.redactions[$0] != before.redactions[$0]
        }
        try readAgain(Set(redacted.map(\.entry)), source: source, judge: judge)
    }

    /// The entries at some addresses, in their order, as far as the source has them as they were written. One that it has
    /// not is, until it is inserted again, as if it were not here.
    mutating func given(
        _ addresses: [EntryID: EntryAddress], by source: some EntrySource
    ) throws -> [WrittenEntry] {
        let entries = try source.entries(at: addresses.values.sorted())
        if !leftOut.isEmpty { leftOut.subtract(entries.map(\.id)) }
        if entries.count < addresses.count {
            let missing = Set(addresses.keys).subtracting(entries.map(\.id))
            leftOut.formUnion(missing)
            for entry in missing {
                (waiting[entry], void[entry]) = (nil, nil)
                for registration in Array(references.keys) { references[registration]?[entry] = nil }
            }
        }
        return entries
    }

    /// Takes everything that carries a handle out of where it stood.
    private mutating func takeOut(_ handle: SubjectHandle, source: some EntrySource, judge: Judge) throws {
        let named = handles.filter { $0.value == handle }.map(\.key)
        var touched: Set<EntryID> = []
        try takeOutRegistrations(of: handle, named, source: source, judge: judge)
        // What names them, and what carries the handle and names others.
        var places: [EntryID: StrayEntry] = strays.removeValue(forKey: handle) ?? [:]
        for registration in named {
            for (entry, address) in references[registration] ?? [:] {
                places[entry] = StrayEntry(address: address, reference: registration)
            }
        }
        for entry in try given(places.mapValues(\.address), by: source) {
            guard let place = places[entry.id] else { continue }
            guard isErased(entry), entry.subject == handle else {
                waiting[entry.id] = .participant(place.reference)
                continue
            }
            references[place.reference]?[entry.id] = nil
            if references[place.reference]?.isEmpty == true { references[place.reference] = nil }
            waiting[entry.id] = nil
            noteErased(entry)
            if let record = standing[place.reference] { touched.insert(record) }
        }
        for entry in otherEntries.values where isErased(entry) && entry.subject == handle {
            otherEntries[entry.id] = nil
            void[entry.id] = nil
            waiting[entry.id] = nil
            notUnderstood.remove(entry.id)
            noteErased(entry)
        }
        handlesNotUnderstood = Set(notUnderstood.compactMap { otherEntries[$0]?.header?.subject })
        for record in touched.sorted() { try recompute(record, source: source, judge: judge) }
    }

    private mutating func takeOutRegistrations(
        of handle: SubjectHandle, _ named: [EntryID], source: some EntrySource, judge: Judge
    ) throws {
        let gone = Set(named)
        for (key, group) in registrations where group.contains(where: { gone.contains($0.id) }) {
            for entry in group where gone.contains(entry.id) {
                void[entry.id] = nil
                waiting[entry.id] = nil
                if let record = standing.removeValue(forKey: entry.id) { forget(record) }
                handles[entry.id] = nil
                keys[entry.id] = nil
                noteErased(entry)
            }
            let rest = group.filter { !gone.contains($0.id) }
            registrations[key] = rest.isEmpty ? nil : rest
            try regroup(key, source: source, judge: judge)
        }
    }

    /// Folds entries anew of which more, or less, is dropped than before.
    private mutating func readAgain(
        _ entries: Set<EntryID>, source: some EntrySource, judge: Judge
    ) throws {
        guard !entries.isEmpty else { return }
        var records: Set<EntryID> = []
        for (registration, named) in references where entries.contains(where: { named[$0] != nil }) {
            if let record = standing[registration] { records.insert(record) }
        }
        for record in records.sorted() { try recompute(record, source: source, judge: judge) }
        for other in entries.compactMap({ otherEntries[$0] }) {
            for entry in try source.entries(at: [other.address]) {
                otherEntries[entry.id] = redacted(entry)
                settle(redacted(entry), judge: judge)
            }
        }
    }

    /// The part of the digest that is about orders.
    func writeOrders(into writer: inout WireWriter) {
        for entry in orders.keys.sorted() { writer.identifier(8, entry) }
        for (entry, rule) in findings.sorted(by: { $0.key < $1.key }) {
            writer.identifier(9, entry)
            writer.unsigned(10, rule.rawValue)
        }
        for (handle, entries) in erased.sorted(by: { $0.key < $1.key }) {
            writer.name(11, handle)
            for entry in entries.keys.sorted() { writer.identifier(12, entry) }
        }
    }
}

extension StudyFold {
    /// Whether what orders drop changed since this was last asked.
    public mutating func takeDropsChanged() -> Bool {
        var haveChanged = false
        for location in Array(locations.keys) {
            haveChanged = locations[location]?.takeDropsChanged() == true || haveChanged
        }
        return haveChanged
    }

    /// The orders that came into effect since this was last asked, in the order of their addresses: their parts are to be
    /// dropped from what is stored.
    public mutating func takeOrders() -> [OrderInEffect] {
        var orders: [OrderInEffect] = []
        for location in Array(locations.keys) { orders += locations[location]?.takeOrders() ?? [] }
        return orders.sorted { $0.address < $1.address }
    }
}
