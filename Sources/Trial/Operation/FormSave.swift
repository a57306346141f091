public import EventLog

/// One item that a save writes.
public struct Change: Hashable, Sendable {
    /// Place of the item group in the entry's table of instances.
    public var instance: Int
    /// The item.
    public var item: ItemOID
    /// What it now holds; nil where the datum was dropped by an order.
    public var value: Value?
    /// Places in ``FormSave/seen`` of the values this one replaces.
    public var replaces: [UInt64]
    /// Why, as a code of the study's list; for a correction.
    public var reasonCode: String?
    /// True for a correction, false for a first entry.
    public var isCorrection: Bool
    /// Whether the datum is free text and so lies in a part of its own.
    public var isFreeText: Bool

    /// States a change.
    public init(
        instance: Int, item: ItemOID, value: Value?, replaces: [UInt64] = [], reasonCode: String? = nil,
        isCorrection: Bool = false, isFreeText: Bool = false
    ) {
        self.instance = instance
        self.item = item
        self.value = value
        self.replaces = replaces
        self.reasonCode = reasonCode
        self.isCorrection = isCorrection
        self.isFreeText = isFreeText
    }
}

/// An edit check that spoke while the form was filled in, and what the person answered.
public struct CheckPrompt: Hashable, Sendable, Codable {
    /// OID of the item whose check spoke.
    public var item: String
    /// The check.
    public var check: String
    /// Hard or soft.
    public var isHard: Bool
    /// The value at the prompt, as typed.
    public var valueAtPrompt: String
    /// What the person answered.
    public var answer: String

    /// States a prompt.
    public init(item: String, check: String, isHard: Bool, valueAtPrompt: String, answer: String) {
        self.item = item
        self.check = check
        self.isHard = isHard
        self.valueAtPrompt = valueAtPrompt
        self.answer = answer
    }
}

/// A calculated value that was on the screen; calculated items are recomputed and never merged.
public struct CalculatedValue: Hashable, Sendable, Codable {
    /// OID of the item.
    public var item: String
    /// What was shown.
    public var shown: String

    /// States one.
    public init(item: String, shown: String) {
        self.item = item
        self.shown = shown
    }
}

/// A form saved: the items that the person changed or confirmed, and all that was on the screen.
public struct FormSave: Hashable, Sendable {
    /// The participant's registration.
    public var participant: EntryID
    /// The events, forms and item groups that the changes stand in; parents before children.
    public var instances: [InstanceDeclaration]
    /// What is written.
    public var changes: [Change]
    /// Every value that was on the screen.
    public var seen: [ValueID]
    /// Checks that spoke.
    public var prompts: [CheckPrompt]
    /// Calculated values that were shown.
    public var calculated: [CalculatedValue]
    /// A comment on the save.
    public var comment: String?
    /// The reason in the person's own words.
    public var reason: String?

    /// States a save.
    public init(
        participant: EntryID, instances: [InstanceDeclaration], changes: [Change], seen: [ValueID] = [],
        prompts: [CheckPrompt] = [], calculated: [CalculatedValue] = [], comment: String? = nil, reason: String? = nil
    ) {
        self.participant = participant
        self.instances = instances
        self.changes = changes
        self.seen = seen
        self.prompts = prompts
        self.calculated = calculated
        self.comment = comment
        self.reason = reason
    }
}

extension FormSave {
    /// Writes the fields of the structure part; field numbers as in `varde.v0.FormSaved`.
    func writeStructure(into writer: inout WireWriter) {
        writer.identifier(50, participant)
        for line in instances { writer.message(51) { line.write(into: &$0) } }
        for change in changes {
            writer.message(52) { inner in
                inner.unsigned(1, UInt64(change.instance))
                inner.string(2, change.item.text)
                inner.packed(3, change.replaces)
                if let code = change.reasonCode { inner.string(4, always: code) }
                inner.boolean(5, change.isCorrection)
                inner.boolean(6, change.isFreeText)
            }
        }
        writeSeen(seen, field: 53, into: &writer)
    }

    /// Writes the parts after the structure: content, then free texts, then comment and reason.
    ///
    /// - Parameter othersThatFollow: how many further parts the entry is to have after these.
    func contentParts(othersThatFollow: Int = 0) -> [(kind: PartKind, bytes: [UInt8])] {
        let closing = (comment == nil ? 0 : 1) + (reason == nil ? 0 : 1) + othersThatFollow
        // Structure and content take two places; what is left over the free texts share, the last part taking the rest.
        let room = FormatLimit.parts - 2 - closing
        var texts: [WireWriter] = []
        var content = WireWriter()
        for change in changes {
            content.message(1) { inner in
                guard let value = change.value else { return }
                guard change.isFreeText else {
                    value.write(into: &inner, textPart: nil)
                    return
                }
                if texts.count < room { texts.append(WireWriter()) }
                let place = texts.count - 1
                let datum = TextDatum(typed: value.typed, normalised: value.normalised)
                value.write(into: &inner, textPart: 2 + place)
                // Several data in the shared part are told apart by the change they belong to, in order.
                texts[place].message(1) { datum.write(into: &$0) }
            }
        }
        for prompt in prompts {
            content.message(2) { inner in
                inner.string(1, prompt.item)
                inner.string(2, prompt.check)
                inner.boolean(3, prompt.isHard)
                inner.string(4, prompt.valueAtPrompt)
                inner.string(5, prompt.answer)
            }
        }
        for value in calculated {
            content.message(3) { inner in
                inner.string(1, value.item)
                inner.string(2, value.shown)
            }
        }
        var parts: [(kind: PartKind, bytes: [UInt8])] = [(.content, content.bytes)]
        parts += texts.map { (.text, $0.bytes) }
        if let comment { parts.append((.comment, [UInt8](comment.utf8))) }
        if let reason { parts.append((.reason, [UInt8](reason.utf8))) }
        return parts
    }

    /// Reads one structure field of 50 to 59.
    mutating func readStructure(_ field: Int, _ reader: inout WireReader) throws(WireError) {
        switch field {
        case 50: participant = try reader.identifier()
        case 51: try readInstanceTable(&instances, &reader)
        case 52:
            // Room for the changes of most saves, so that they are seldom moved while the list grows.
            if changes.isEmpty { changes.reserveCapacity(16) }
            var inner = try reader.message()
            changes.append(try Change(structure: &inner))
        case 53: try readSeen(&seen, &reader)
        default: try reader.skip()
        }
    }

    /// Reads what the entry's other parts hold; a part that was dropped leaves its values nil.
    mutating func readContent(of entry: Entry) throws(WireError) {
        // Items stand in item groups and nowhere else: a value anywhere else would be in no view.
        // By place: a change that is taken out of the list is a copy, and copying all was a tenth of reading.
        for place in changes.indices {
            let instance = changes[place].instance
            guard instance < instances.count, instances[instance].kind == .itemGroup else {
                throw .outOfRange(field: 52)
            }
        }
        comment = try entry.text(of: .comment)
        reason = try entry.text(of: .reason)
        guard let bytes = entry.bytes(of: .content) else { return }
        var texts = SharedTexts(entry: entry)
        var reader = WireReader(bytes)
        var place = 0
        while let field = try reader.next() {
            guard (1...3).contains(field) else {
                try reader.skip()
                continue
            }
            var inner = try reader.message()
            switch field {
            case 1:
                guard place < changes.count else { throw .outOfRange(field: 1) }
                changes[place].value = try Value.read(&inner) { part throws(WireError) in try texts.next(in: part) }
                place += 1
            case 2: prompts.append(try CheckPrompt(from: &inner))
            default: calculated.append(try CalculatedValue(from: &inner))
            }
        }
        guard place == changes.count else { throw .missing(field: 1) }
        try texts.finish()
    }
}

/// Deals out the free texts of an entry's text parts in the order they were written.
private struct SharedTexts {
    let entry: Entry
    var readers: [Int: WireReader] = [:]

    init(entry: Entry) {
        self.entry = entry
    }

    mutating func next(in part: Int) throws(WireError) -> TextDatum? {
        guard part < entry.header.parts.count, entry.header.parts[part].kind == .text else {
            throw .outOfRange(field: 2)
        }
        guard let bytes = entry.body.parts[part]?.bytes else { return nil }
        var reader = readers[part] ?? WireReader(bytes)
        while let field = try reader.next() {
            guard field == 1 else {
                try reader.skip()
                continue
            }
            var inner = try reader.message()
            readers[part] = reader
            return try TextDatum(from: &inner)
        }
        throw .missing(field: 1)
    }

    /// Checks that no text is left over that belongs to no change.
    func finish() throws(WireError) {
        for var reader in readers.values {
            while let field = try reader.next() {
                guard field != 1 else { throw .outOfRange(field: 1) }
                try reader.skip()
            }
        }
    }
}

extension Entry {
    /// The UTF-8 text of the first part of `kind`.
    func text(of kind: PartKind) throws(WireError) -> String? {
        guard let bytes = bytes(of: kind) else { return nil }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .outOfRange(field: 0) }
        return text
    }
}

extension Change {
    fileprivate init(structure reader: inout WireReader) throws(WireError) {
        self.init(instance: 0, item: ItemOID(""), value: nil)
        while let field = try reader.next() {
            switch field {
            case 1: instance = try reader.unsigned(as: Int.self)
            case 2: item = ItemOID(try reader.string())
            case 3: try reader.forEachUnsigned { replaces.append($0) }
            case 4: reasonCode = try reader.string()
            case 5: isCorrection = try reader.boolean()
            case 6: isFreeText = try reader.boolean()
            default: try reader.skip()
            }
        }
        guard !item.text.isEmpty else { throw .missing(field: 2) }
    }
}

extension CheckPrompt {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(item: "", check: "", isHard: false, valueAtPrompt: "", answer: "")
        while let field = try reader.next() {
            switch field {
            case 1: item = try reader.string()
            case 2: check = try reader.string()
            case 3: isHard = try reader.boolean()
            case 4: valueAtPrompt = try reader.string()
            case 5: answer = try reader.string()
            default: try reader.skip()
            }
        }
    }
}

extension CalculatedValue {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(item: "", shown: "")
        while let field = try reader.next() {
            switch field {
            case 1: item = try reader.string()
            case 2: shown = try reader.string()
            default: try reader.skip()
            }
        }
    }
}

/// Writes values that were seen. Those of one entry stand together on most screens, so it is written once for a run of them.
func writeSeen(_ seen: [ValueID], field: Int, into writer: inout WireWriter) {
    var place = 0
    while place < seen.count {
        let entry = seen[place].entry
        var positions: [UInt64] = []
        while place < seen.count, seen[place].entry == entry {
            positions.append(seen[place].position)
            place += 1
        }
        writer.message(field) { inner in
            inner.identifier(1, entry)
            inner.packed(2, positions)
        }
    }
}

/// Reads one run of seen values.
func readSeen(_ seen: inout [ValueID], _ reader: inout WireReader) throws(WireError) {
    var inner = try reader.message()
    var entry: EntryID?
    while let field = try inner.next() {
        switch field {
        case 1:
            // Of two, no reader could tell to which the positions belong.
            guard entry == nil else { throw .outOfRange(field: 1) }
            entry = try inner.identifier()
        case 2:
            guard let entry else { throw .missing(field: 1) }
            try inner.forEachUnsigned { seen.append(ValueID(entry: entry, position: $0)) }
        default: try inner.skip()
        }
    }
}
