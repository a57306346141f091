import EventLog
import Trial

/// Actions of every operation with payloads that a seed makes: every optional field there or not, texts of any kind.
struct RandomActions {
    var generator: SplitMix64

    static let operations = 23

    private mutating func chance() -> Bool { generator.chance(50) }
    private mutating func maybe<Value>(_ value: @autoclosure () -> Value) -> Value? {
        generator.chance(50) ? value() : nil
    }

    /// Empty, plain, accented, composed of several scalars, right to left, outside the basic plane, long.
    mutating func text() -> String {
        let texts = [
            "", "a", "blåbærsyltetøy", "e\u{301}", "مرحبا", "👩🏽‍⚕️", "\u{0}", "line\nbreak\t", "\"<&>'",
            String(repeating: "æ", count: generator.below(300)),
        ]
        return texts[generator.below(texts.count)]
    }

    private mutating func label() -> String { "l" + String(generator.below(1000)) }
    private mutating func number() -> UInt64 {
        generator.one(of: 0, 1, 127, 128, 300, UInt64(UInt32.max), UInt64.max)
    }
    /// The number of an enumeration, known or not: at most 31 bits.
    private mutating func code() -> UInt64 { generator.one(of: 0, 1, 9, 127, 128, UInt64(Int32.max)) }
    private mutating func signed() -> Int64 { generator.one(of: 0, 1, -1, 64, -65, Int64.max, Int64.min) }
    private mutating func list<Element>(_ most: Int, _ make: (inout RandomActions) -> Element) -> [Element] {
        (0..<generator.below(most + 1)).map { _ in make(&self) }
    }
    private mutating func location() -> LocationID { LocationID(unchecked: label()) }
    private mutating func node() -> NodeID { NodeID(unchecked: label()) }
    private mutating func entry() -> EntryID { generator.entryID() }
    private mutating func value() -> ValueID { ValueID(entry: entry(), position: number()) }
    private mutating func maybeText() -> String? { chance() ? text() : nil }
    private mutating func maybeEntry() -> EntryID? { chance() ? entry() : nil }

    /// An action of the operation with that number, from 0.
    mutating func action(_ operation: Int) -> Action {
        var command = CommandID(using: &generator)
        let provenance = provenance()
        let said = self.operation(operation)
        if case .responseReceived(let response) = said {
            command = ResponseIdentity.command(
                client: CodecLog.actor, identifier: response.identifier, documentSHA256: response.documentSHA256)
        }
        return Action(command: command, provenance: provenance, operation: said)
    }

    private mutating func operation(_ number: Int) -> Trial.Operation {
        switch number {
        case 0: return .log
        case 1:
            return .studyFounded(
                StudyFounding(
                    nonce: RandomName(using: &generator), mode: generator.one(of: .live, .training, .test),
                    oid: StudyOID(text()), name: text()))
        case 2:
            return .contentChunk(
                ContentChunk(
                    document: generator.hash(), position: self.number(), bytes: generator.bytes(generator.below(99))))
        case 3:
            return .definitionPublished(
                DefinitionPublication(
                    content: generator.hash(), chunks: list(4) { $0.entry() }, byteCount: self.number(),
                    version: MetaDataVersionOID(text()), name: text()))
        case 4: return .participationNumbered(participation())
        case 5: return .participationAccepted(answer())
        case 6: return .participationWithdrawn(answer())
        case 7: return .planSet(document: generator.bytes(generator.below(200)))
        case 8:
            return .delegationNumbered(
                Delegation(
                    site: StudySiteID(unchecked: label()), number: self.number(), previous: maybeEntry(),
                    actor: ActorID(using: &generator), name: text(), role: Role(rawValue: code()), from: text(),
                    to: maybeText(), ends: maybeEntry(),
                    held: list(3) { LogExtent(log: LogID($0.generator.hash()), size: $0.number()) }))
        case 9:
            return .participantRegistered(
                Registration(
                    labels: [participantLabel(), participantLabel()], issued: chance() ? [1] : []))
        case 10:
            return .statusRecorded(
                StatusRecord(
                    participant: entry(), status: ParticipantStatus.allCases[generator.below(10)], eventDate: text(),
                    replaces: list(3) { $0.entry() }, reason: maybeText()))
        case 11: return .formSaved(save(changes: generator.below(101)))
        case 12: return .removed(removal())
        case 13: return .restored(removal())
        case 14: return .redactionOrdered(redaction())
        case 15: return .instancesDecided(decision())
        case 16: return .conflictResolved(resolution())
        case 17:
            return .formConfirmed(
                Confirmation(participant: entry(), instances: tableOfForm(), seen: list(5) { $0.value() }))
        case 18: return .erasureOrdered(erasure())
        case 19: return .responseReceived(response())
        case 20:
            return .labelAssigned(
                LabelAssignment(
                    participant: entry(), label: participantLabel(), isIssued: chance(), seen: list(3) { $0.value() }))
        case 21: return .participantsLinked(link())
        default: return .participantsUnlinked(link())
        }
    }

    /// A table whose last line is a form named by what it is.
    private mutating func tableOfForm() -> [InstanceDeclaration] {
        var form = line(.form, under: 0)
        form.identity = .natural
        return [line(.studyEvent, under: nil), form]
    }

    private mutating func decision() -> InstanceDecision {
        let verdicts = (0...generator.below(4)).map { _ in
            BeginningVerdict(
                Beginning(entry: entry(), position: number()), generator.one(of: .same, .apart, .wrong))
        }
        return InstanceDecision(
            participant: entry(), instances: tableOfForm(), verdicts: verdicts, seen: list(3) { $0.entry() },
            reason: maybeText())
    }

    private mutating func resolution() -> Resolution {
        var save = save(changes: 1 + generator.below(20))
        let sides = (0...generator.below(4)).map { _ in
            JudgedSide(value(), generator.one(of: .chosen, .wrong, .elsewhere))
        }
        save.seen += sides.map(\.side)
        return Resolution(save: save, sides: sides)
    }

    private mutating func participantLabel() -> ParticipantLabel {
        ParticipantLabel(kind: generator.one(of: .screening, .subject, .randomisation), text: text())
    }

    private mutating func link() -> ParticipantLink {
        ParticipantLink(
            participant: entry(), other: entry(), otherLocation: location(), seen: list(3) { $0.entry() },
            reason: maybeText())
    }

    private mutating func redaction() -> DropOrder {
        let parts = PartSet(positions: [generator.below(64), generator.below(64)])
        let address = EntryAddress(log: LogID(generator.hash()), index: generator.one(of: 0, 1, 127, 128, 70_000))
        return DropOrder(
            target: .parts(parts, of: entry(), at: address), ground: text(), decidedBy: text(), reason: maybeText())
    }

    private mutating func erasure() -> DropOrder {
        DropOrder(
            target: .participant(entry(), CodecLog.subject), ground: text(), decidedBy: text(),
            reason: maybeText())
    }

    private mutating func participation() -> Participation {
        Participation(
            number: number(), previous: maybeEntry(), sponsor: text(), coordinatingNodes: list(3) { $0.node() },
            members: list(4) { Member(location: $0.location(), acceptance: $0.maybeEntry()) },
            sites: list(3) { random in
                StudySite(
                    id: StudySiteID(unchecked: random.label()), name: random.text(), isRegional: random.chance(),
                    locations: random.list(3) { $0.location() }, owner: random.node())
            },
            orders: chance()
                ? OrderPermissions(
                    redaction: list(3) { Role(rawValue: $0.code()) }, erasure: list(3) { Role(rawValue: $0.code()) })
                : nil)
    }

    private mutating func answer() -> ParticipationAnswer {
        ParticipationAnswer(
            invitation: entry(), locations: list(3) { $0.location() }, agreement: text(), approval: text(),
            date: text(),
            seen: list(2) { $0.entry() })
    }

    private mutating func removal() -> Removal {
        Removal(
            participant: entry(), instances: Array(table().prefix(generator.below(4))), seen: list(3) { $0.entry() },
            seenValues: list(5) { $0.value() }, reason: maybeText())
    }

    mutating func provenance() -> Provenance {
        var provenance = Provenance(source: Source(rawValue: UInt64(1 + generator.below(7))) ?? .direct)
        provenance.externalIdentifier = maybeText()
        provenance.performedAt = maybeText()
        provenance.occurred = maybeText()
        if chance() { provenance.recorded = DeviceTime(utcMilliseconds: signed(), offsetMinutes: signed()) }
        if chance() { provenance.receivedUTCMilliseconds = signed() }
        provenance.onBehalfOf = maybeText()
        provenance.language = maybeText()
        provenance.client = maybeText()
        if chance() {
            provenance.authentication = AuthenticationDetail(
                method: text(), level: text(), utcMilliseconds: chance() ? signed() : nil)
        }
        if chance() {
            provenance.origin = ImportOrigin(
                fileSHA256: text(), position: number(), user: maybeText(), location: maybeText(), time: maybeText())
        }
        return provenance
    }

    /// A save of so many changes.
    mutating func save(changes count: Int) -> FormSave {
        let instances = table()
        let groups = instances.indices.filter { instances[$0].kind == .itemGroup }
        var save = FormSave(participant: entry(), instances: instances, changes: [])
        for number in 0..<count {
            save.changes.append(
                Change(
                    instance: groups[generator.below(groups.count)], item: ItemOID("I.\(number)" + text()),
                    value: itemValue(), replaces: list(3) { $0.number() }, reasonCode: maybeText(),
                    isCorrection: chance(), isFreeText: chance()))
        }
        for _ in 0..<generator.below(5) {
            let entry = entry()
            save.seen += list(4) { ValueID(entry: entry, position: $0.number()) }
        }
        save.prompts = list(3) {
            CheckPrompt(
                item: $0.text(), check: $0.text(), isHard: $0.chance(), valueAtPrompt: $0.text(), answer: $0.text())
        }
        save.calculated = list(3) { CalculatedValue(item: $0.text(), shown: $0.text()) }
        save.comment = maybeText()
        save.reason = maybeText()
        return save
    }

    /// An answer with rows, under the identity of the codec's actor.
    private mutating func response() -> Response {
        let identifier = ResponseIdentifier(system: text(), value: text())
        func named(_ row: UInt64) -> InstanceIdentity {
            .response(ResponseInstance(client: CodecLog.actor, identifier: identifier, row: row))
        }
        var table = [line(.studyEvent, under: nil), line(.form, under: 0), line(.itemGroup, under: 1)]
        table[1].identity = named(0)
        table[2].identity = .natural
        for row in 0..<UInt64(generator.below(4)) {
            table.append(line(.itemGroup, under: 1))
            table[table.count - 1].identity = named(row + 1)
        }
        let changes = (0..<generator.below(80)).map { number in
            Change(
                instance: 2 + generator.below(table.count - 2), item: ItemOID("I.\(number)" + text()),
                value: itemValue(), reasonCode: maybeText(), isFreeText: chance())
        }
        return Response(
            participant: entry(), identifier: identifier,
            status: generator.one(of: .completed, .amended, .enteredInError),
            authored: text(), documentSHA256: generator.hash(), instances: table, changes: changes,
            seen: list(3) { $0.entry() }, document: generator.bytes(generator.below(200)))
    }

    private mutating func itemValue() -> Value {
        var value = Value(
            kind: ValueKind(rawValue: UInt64(1 + generator.below(13))) ?? .text, typed: text(), normalised: maybeText(),
            unit: maybeText(), codeList: maybeText(), codes: list(3) { $0.text() }, reason: maybeText())
        if chance() { value.file = FileReference(sha256: text(), mediaType: text(), byteCount: number()) }
        return value
    }

    /// A table of an event, forms and groups, parents first.
    private mutating func table() -> [InstanceDeclaration] {
        var table = [line(.studyEvent, under: nil), line(.form, under: 0), line(.itemGroup, under: 1)]
        for _ in 0..<generator.below(6) {
            let parent = generator.below(table.count)
            switch table[parent].kind {
            case .studyEvent: table.append(line(.form, under: parent))
            case .form: table.append(line(.itemGroup, under: parent))
            case .itemGroup: table.append(line(.studyEvent, under: nil))
            }
        }
        return table
    }

    private mutating func line(_ kind: InstanceKind, under parent: Int?) -> InstanceDeclaration {
        let identity: InstanceIdentity
        switch generator.below(3) {
        case 0: identity = .natural
        case 1: identity = .own
        default: identity = .begun(Beginning(entry: entry(), position: number()))
        }
        return InstanceDeclaration(
            kind: kind, parent: parent, oid: "O." + text(), identity: identity, beginsHere: chance(),
            seenBeginnings: list(2) { Beginning(entry: $0.entry(), position: $0.number()) }, repeatKey: maybeText(),
            isWhole: chance())
    }
}

/// A log to seal entries into.
enum CodecLog {
    static let name = LogName(
        network: TestNetwork.id, node: .haukeland,
        stream: .location(.haukeland, in: StudyID(RandomName(high: 1, low: 2))),
        epoch: Epoch(RandomName(high: 3, low: 4)))

    static let actor = Person.bergenNurse.actor
    /// The handle in every header, and so in orders to erase.
    static let subject = SubjectHandle(RandomName(high: 5, low: 6))

    /// The entry that says `action`, and its bytes.
    static func sealed(
        _ action: Action, using generator: inout SplitMix64
    ) -> (entry: Entry, raw: RawEntry) {
        draft(action.operation.type, action.parts(), action.command).sealed(
            log: name.id, index: 5, hybridTime: 1, nodeTime: NodeTime(utcMilliseconds: 0), software: "test",
            using: &generator)
    }

    static func draft(
        _ operation: OperationType, _ parts: [(kind: PartKind, bytes: [UInt8])], _ command: CommandID
    ) -> EntryDraft {
        EntryDraft(
            stream: name.stream, operation: operation,
            authority: Authority(
                actor: actor, kind: .person, role: .studyNurse, authentication: .localAccount),
            known: KnownVersions(charter: 1, participation: 1, delegation: 1), subject: subject, command: command,
            parts: parts)
    }
}
