public import EventLog
import Trial

/// What the bytes of an entry say, in words: read from header and parts alone, so that it is as proven as they are. Only
/// names in «» come from elsewhere.
public struct EntryMeaning: Hashable, Sendable, Encodable {
    /// One thing said.
    public struct Line: Hashable, Sendable, Encodable {
        /// What about.
        public let label: String
        /// What.
        public let text: String
    }

    /// The kind of operation.
    public let operation: String
    /// By whom, in which role and how authenticated: as the node states it.
    public let actor: String
    /// The hospital's node, with its name by the charter.
    public let node: String
    /// The node's own clock, ISO 8601.
    public let nodeTime: String
    /// Everything else, in order.
    public let lines: [Line]

    /// Reads an entry.
    ///
    /// - Parameters:
    ///   - charter: gives nodes and locations their names.
    ///   - names: gives OIDs and codes theirs; nothing vouches for them.
    public init(of entry: Entry, in log: LogName, charter: Charter?, names: ProofNames) {
        let header = entry.header
        operation = header.operation.description
        let authority = header.authority
        actor =
            "actor \(authority.actor) (\(authority.kind), \(authority.role)), "
            + "authenticated by \(authority.authentication)"
        node = "\(log.node)" + (charter?.node(log.node).map { " (\(ProofWords.clean($0.name)))" } ?? "")
        nodeTime = ProofWords.time(milliseconds: header.nodeTime.utcMilliseconds)
        var words = ProofWords(names: names)
        words.say("entry", "\(header.index) of log \(header.log)")
        words.say("entry id", "\(entry.id)")
        words.say("study", "\(log.stream.study)")
        if let location = log.stream.location {
            let name = charter?.location(location).map { " (\(ProofWords.clean($0.name)))" } ?? ""
            words.say("location", "\(location)\(name)")
        }
        words.say(header)
        switch WrittenEntry(entry, in: log).content {
        case .action(let action): words.say(action, of: entry)
        case .notUnderstood: words.say("content", "of a newer version of Varde, or dropped; its bytes are proven")
        case .unreadable: words.say("content", "breaks the format, so the entry has no effect; its bytes are proven")
        }
        lines = words.lines
    }
}

/// Collects what is said of an entry.
package struct ProofWords {
    let names: ProofNames
    private(set) var lines: [EntryMeaning.Line] = []

    init(names: ProofNames) {
        self.names = names
    }

    /// Text of others as it may be shown on a terminal: no control characters, and not without end.
    static func clean(_ text: String, limit: Int = 2_000) -> String {
        var shown = ""
        for (place, scalar) in text.unicodeScalars.enumerated() {
            guard place < limit else { return shown + "…" }
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            let turnsText = (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            if isControl || turnsText { shown += "\u{FFFD}" } else { shown.unicodeScalars.append(scalar) }
        }
        return shown
    }

    /// `2026-01-31T12:00:00.000Z`; the plain number outside the years 1 to 9999.
    package static func time(milliseconds: Int64) -> String {
        let day: Int64 = 86_400_000
        let (days, rest) = (milliseconds.floorQuotient(day), milliseconds.floorRemainder(day))
        guard let epoch = CalendarDate(year: 1970, month: 1, day: 1), (-719_162...2_932_896).contains(days) else {
            return "\(milliseconds) ms after 1970"
        }
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = epoch.adding(days: Int(days))
        let clock = [rest / 3_600_000, rest / 60_000 % 60, rest / 1000 % 60].map { padded($0, 2) }
        let fraction = rest % 1000 == 0 ? "" : "." + padded(rest % 1000, 3)
        return "\(date)T" + clock.joined(separator: ":") + fraction + "Z"
    }

    mutating func say(_ label: String, _ text: String) {
        lines.append(EntryMeaning.Line(label: label, text: ProofWords.clean(text)))
    }

    mutating func say(_ header: EntryHeader) {
        let time = header.nodeTime
        let bound = time.errorBoundMilliseconds.map { ", to within \($0) ms" } ?? ""
        say(
            "node's clock",
            "\(ProofWords.time(milliseconds: time.utcMilliseconds)), offset \(time.offsetMinutes) min, "
                + (time.isSynchronised ? "synchronised\(bound)" : "not known to be synchronised"))
        say(
            "known then",
            "charter version \(header.known.charter), participation number \(header.known.participation), "
                + "delegation number \(header.known.delegation)")
        if let delegation = header.authority.delegation { say("delegated by", "entry \(delegation)") }
        if let definition = header.definition { say("definitions", "document with SHA-256 \(definition)") }
        if let subject = header.subject { say("subject handle", "\(subject)") }
        say("software", header.software)
        if !header.actorSignature.isEmpty {
            say("actor's signature", "\(header.actorSignature.count) bytes, which this version does not check")
        }
    }

    mutating func say(_ action: Action, of entry: Entry) {
        say("command", "\(action.command)")
        say(action.provenance)
        if let participant = action.operation.participant { say("participant", "registered by entry \(participant)") }
        if entry.header.operation == .logOpened, let bytes = entry.bytes(of: .structure),
            let opening = try? LogOpening(bytes: bytes)
        {
            say("reason", "\(opening.reason)")
        }
        say(action.operation)
        let (instances, changes) = action.operation.instancesAndChanges
        for change in changes { say(change, in: instances) }
        if changes.isEmpty {
            for place in instances.indices { say("about", path(of: place, in: instances)) }
        }
    }

    private mutating func say(_ provenance: Provenance) {
        say("source", "\(provenance.source)")
        if let place = provenance.performedAt { say("performed at", place) }
        if let date = provenance.occurred { say("occurred", date) }
        if let time = provenance.recorded {
            say("device's clock", ProofWords.time(milliseconds: time.utcMilliseconds))
        }
        if let time = provenance.receivedUTCMilliseconds { say("received", ProofWords.time(milliseconds: time)) }
        if let person = provenance.onBehalfOf { say("on behalf of", person) }
        if let detail = provenance.authentication {
            let time = detail.utcMilliseconds.map { " at " + ProofWords.time(milliseconds: $0) } ?? ""
            say("authentication", "\(detail.method), level \(detail.level)\(time)")
        }
        if let client = provenance.client { say("client", client) }
        if let identifier = provenance.externalIdentifier { say("external id", identifier) }
        if let origin = provenance.origin {
            say(
                "imported from",
                "file with SHA-256 \(origin.fileSHA256), position \(origin.position)"
                    + (origin.user.map { ", user \($0)" } ?? "") + (origin.location.map { ", location \($0)" } ?? "")
                    + (origin.time.map { ", at \($0)" } ?? ""))
        }
    }

    /// `visit › form › group[2]`, with names where there are any.
    private func path(of place: Int, in instances: [InstanceDeclaration]) -> String {
        var steps: [String] = []
        var next: Int? = place
        while let index = next, instances.indices.contains(index), steps.count < 8 {
            let line = instances[index]
            let key = line.repeatKey.map { "[\(ProofWords.clean($0, limit: 100))]" } ?? ""
            steps.append(named(line.oid) + key)
            next = line.parent
        }
        return steps.reversed().joined(separator: " › ")
    }

    private func named(_ oid: String) -> String {
        ProofWords.clean(oid, limit: 200)
            + (names.objects[oid].map { " «\(ProofWords.clean($0, limit: 200))»" } ?? "")
    }

    private mutating func say(_ change: Change, in instances: [InstanceDeclaration]) {
        let place = path(of: change.instance, in: instances)
        say("value", "\(place) › \(named(change.item.text)) = \(words(for: change))")
    }

    private func words(for change: Change) -> String {
        let tail = (change.isCorrection ? ", a correction" : "") + (change.reasonCode.map { ", reason \($0)" } ?? "")
        guard let value = change.value else { return "dropped by an order" + tail }
        switch value.kind {
        case .missing: return "missing (\(value.reason ?? "no reason"))" + tail
        case .cleared: return "cleared (\(value.reason ?? "no reason"))" + tail
        default: break
        }
        var text = "\"\(value.typed)\""
        if value.normalised != value.typed { text += " (\(value.normalised))" }
        if let unit = value.unit { text += ", unit \(unit)" }
        if !value.codes.isEmpty {
            let list = value.codeList ?? ""
            let codes = value.codes.map { code in
                code + (names.codes[list]?[code].map { " «\(ProofWords.clean($0, limit: 200))»" } ?? "")
            }
            text += ", codes \(codes.joined(separator: ", "))" + (list.isEmpty ? "" : " of \(list)")
        }
        if let file = value.file {
            text += ", file with SHA-256 \(file.sha256), \(file.mediaType), \(file.byteCount) bytes"
        }
        return text + tail
    }
}

extension Int64 {
    /// Division that rounds down, for times before 1970.
    fileprivate func floorQuotient(_ divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }

    fileprivate func floorRemainder(_ divisor: Int64) -> Int64 {
        let remainder = self % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }
}
