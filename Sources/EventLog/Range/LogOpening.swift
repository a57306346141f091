/// Why a writer began an epoch of its log.
public struct LogOpeningReason: HeaderCode {
    /// The number.
    public let rawValue: UInt64
    /// Wraps a number.
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The writer knows of no earlier log of its own in this stream.
    public static let first = LogOpeningReason(rawValue: 1)
    /// The earlier log was given up in good order.
    public static let previousClosed = LogOpeningReason(rawValue: 2)
    /// The writer found that it had signed more of the earlier log than its disk held (a restore, a disk that lied).
    public static let restored = LogOpeningReason(rawValue: 3)
    /// At a start without peers, directory, machine, boot or head file did not agree with the database.
    public static let guardFailed = LogOpeningReason(rawValue: 4)
    /// The earlier log has two contradicting heads.
    public static let forked = LogOpeningReason(rawValue: 5)

    /// The names of the numbers this software knows.
    public static let names: [UInt64: String] = [
        1: "first", 2: "previous closed", 3: "restored", 4: "start guard failed", 5: "forked",
    ]
}

/// The structure part of ``OperationType/logOpened``, entry 0 of every log (DESIGN §3, "Log"): everything that makes the
/// log's id, why it was begun, and the last heads that its writer knows of its earlier logs of the same stream.
///
/// Wire format `varde.v0.LogOpened`, version first.
public struct LogOpening: Hashable, Sendable {
    /// The log that is opened: the header's log id must be this name's.
    public let name: LogName
    /// Why.
    public let reason: LogOpeningReason
    /// The id of the command by which the node opened it, random.
    public let command: CommandID
    /// The heads known of earlier logs, at most ``maximumEarlierHeads``.
    public let earlierHeads: [StatedHead]

    /// No opening names more earlier heads than this, so that it always fits into one entry.
    public static let maximumEarlierHeads = 1024

    /// States an opening; of more than ``maximumEarlierHeads`` earlier heads the last ones are kept.
    public init(name: LogName, reason: LogOpeningReason, command: CommandID, earlierHeads: [StatedHead]) {
        self.name = name
        self.reason = reason
        self.command = command
        self.earlierHeads = earlierHeads.suffix(LogOpening.maximumEarlierHeads)
    }

    /// The bytes of the structure part.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: 256 + earlierHeads.count * 80)
        writer.unsigned(1, always: FormatVersion.header)
        writer.string(2, name.network.text)
        writer.string(3, name.node.text)
        writer.string(4, name.stream.description)
        writer.name(5, name.epoch)
        writer.unsigned(6, reason.rawValue)
        writer.name(7, command)
        for head in earlierHeads { writer.message(8) { head.write(into: &$0) } }
        return writer.bytes
    }

    /// Reads the structure part of an entry 0.
    ///
    /// - Throws: ``WireError`` where the bytes are no opening of version 0.
    public init(bytes: [UInt8]) throws(WireError) {
        var reader = WireReader(bytes)
        try reader.readFormatVersion(FormatVersion.header)
        var network: NetworkID?
        var node: NodeID?
        var stream: StreamID?
        var epoch: Epoch?
        var reason = LogOpeningReason(rawValue: 0)
        var command: CommandID?
        var heads: [StatedHead] = []
        while let field = try reader.next() {
            switch field {
            case 2: network = try reader.label()
            case 3: node = try reader.label()
            case 4:
                guard let read = StreamID(try reader.string()) else { throw .outOfRange(field: 4) }
                stream = read
            case 5: epoch = try reader.name()
            case 6: reason = try reader.code()
            case 7: command = try reader.name()
            case 8:
                guard heads.count < LogOpening.maximumEarlierHeads else { throw .outOfRange(field: 8) }
                var inner = try reader.message()
                heads.append(try StatedHead(from: &inner))
            default: try reader.skip()
            }
        }
        guard let network else { throw .missing(field: 2) }
        guard let node else { throw .missing(field: 3) }
        guard let stream else { throw .missing(field: 4) }
        guard let epoch else { throw .missing(field: 5) }
        guard let command else { throw .missing(field: 7) }
        name = LogName(network: network, node: node, stream: stream, epoch: epoch)
        self.reason = reason
        self.command = command
        earlierHeads = heads
    }

    /// The draft of entry 0: written by the node itself, on its own key.
    ///
    /// - Parameter known: what the writer knows at that moment; later entries of the log never know less.
    public func draft(known: KnownVersions) -> EntryDraft {
        EntryDraft(
            stream: name.stream, operation: .logOpened,
            authority: Authority(
                actor: ActorID(node: name.node, network: name.network), kind: .system, role: .node,
                authentication: .nodeKey),
            known: known, command: command, parts: [(.structure, bytes)])
    }
}

/// The structure part of ``OperationType/logClosed``, the last entry that a writer puts into a log it gives up in good order.
///
/// Wire format `varde.v0.LogClosed`, version first.
public struct LogClosing: Hashable, Sendable {
    /// The log that is closed.
    public let name: LogName
    /// The id of the command by which the node closed it, random.
    public let command: CommandID

    /// States a closing.
    public init(name: LogName, command: CommandID) {
        self.name = name
        self.command = command
    }

    /// The bytes of the structure part.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: 32)
        writer.unsigned(1, always: FormatVersion.header)
        writer.name(2, command)
        return writer.bytes
    }

    /// The draft of the last entry: written by the node itself, on its own key.
    ///
    /// - Parameter known: what the log's last entry knew.
    public func draft(known: KnownVersions) -> EntryDraft {
        EntryDraft(
            stream: name.stream, operation: .logClosed,
            authority: Authority(
                actor: ActorID(node: name.node, network: name.network), kind: .system, role: .node,
                authentication: .nodeKey),
            known: known, command: command, parts: [(.structure, bytes)])
    }
}

extension ActorID {
    /// The actor as which a node acts on its own account: the same wherever it is computed.
    ///
    /// The first 16 bytes of SHA-256 over the domain `varde/node-actor/0`, network and node, each name after its length.
    public init(node: NodeID, network: NetworkID) {
        var bytes = [UInt8]("varde/node-actor/0".utf8)
        for name in [network.text, node.text] {
            bytes.append(UInt8(name.utf8.count))
            bytes += name.utf8
        }
        self.init(derivedFrom: .sha256(bytes))
    }
}
