package import EventLog

extension ReplicationMessage {
    /// Reads a message. Any bytes at all may be given; no more memory is taken than they take themselves.
    ///
    /// - Throws: ``WireError/unknownVersion(_:)`` for other protocol versions, else what is wrong with the bytes.
    package init(bytes: [UInt8]) throws(WireError) {
        guard bytes.count <= ReplicationProtocol.messageBytes else { throw .outOfRange(field: 0) }
        var reader = WireReader(bytes)
        try reader.readFormatVersion(ReplicationProtocol.version)
        guard let content = try reader.next() else { throw .missing(field: 2) }
        guard [2...11, 20...22, 30...31, 40...40].contains(where: { $0.contains(content) }) else {
            throw .outOfRange(field: content)
        }
        var inner = try reader.message()
        guard reader.isAtEnd else { throw .outOfRange(field: 0) }
        switch content {
        case 2: self = .hello(try Hello(from: &inner))
        case 3: self = .charterRequest(try CharterRequest(from: &inner))
        case 4: self = .charterVersions(try CharterVersions(from: &inner))
        case 5: self = .haveDigest(try HaveDigest(from: &inner))
        case 6: self = .have(try Have(from: &inner))
        case 7: self = .want(try Want(from: &inner))
        case 8: self = .range(try RangeMessage(from: &inner))
        case 9: self = .receipt(try Receipt(from: &inner))
        case 10: self = .rangeUnavailable(try RangeUnavailable(from: &inner))
        case 20: self = .witnessRequest(try WitnessedExtension(from: &inner))
        case 21: self = .witnessState(try WitnessedSize(from: &inner))
        case 22: self = .cosignatures(try CosignatureRows(from: &inner))
        case 30: self = .forkProof(try ForkProofMessage(from: &inner))
        case 31: self = .forkKnown(try ForkKnown(from: &inner))
        case 40: self = .orders(try OrdersMessage(from: &inner))
        default: self = .refusal(try Refusal(from: &inner))
        }
    }
}

extension Hello {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var node: NodeID?
        var network: NetworkID?
        var count: UInt64 = 0
        var hash: Hash?
        var incarnation: UInt64 = 0
        var isAnswer = false
        while let field = try reader.next() {
            switch field {
            case 1: node = try reader.label()
            case 2: network = try reader.label()
            case 3: count = try reader.unsigned()
            case 4: hash = try reader.hash()
            case 5: incarnation = try reader.unsigned()
            case 6: isAnswer = try reader.boolean()
            default: try reader.skip()
            }
        }
        guard let node else { throw .missing(field: 1) }
        guard let hash else { throw .missing(field: 4) }
        self.init(
            node: node, network: network, charterCount: count, charterHash: hash, incarnation: incarnation,
            isAnswer: isAnswer)
    }
}

extension CharterRequest {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        first = 0
        while let field = try reader.next() {
            if field == 1 { first = try reader.unsigned() } else { try reader.skip() }
        }
    }
}

extension CharterVersions {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(first: 0, versions: [])
        while let field = try reader.next() {
            switch field {
            case 1: first = try reader.unsigned()
            case 2:
                guard versions.count < ReplicationProtocol.charterVersions else { throw .outOfRange(field: 2) }
                versions.append(try reader.data())
            default: try reader.skip()
            }
        }
    }
}

extension HaveDigest {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var digest: Hash?
        var count: UInt64 = 0
        var isAnswer = false
        var cosignatures: Hash?
        while let field = try reader.next() {
            switch field {
            case 1: digest = try reader.hash()
            case 2: count = try reader.unsigned()
            case 3: isAnswer = try reader.boolean()
            case 20: cosignatures = try reader.hash()
            default: try reader.skip()
            }
        }
        guard let digest else { throw .missing(field: 1) }
        self.init(digest: digest, count: count, isAnswer: isAnswer, cosignatures: cosignatures)
    }
}

extension Have {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var vector: UInt64 = 0
        var index = 0
        var count = 0
        var rows: [HaveRow] = []
        while let field = try reader.next() {
            switch field {
            case 1: vector = try reader.unsigned()
            case 2: index = try reader.unsigned(as: Int.self)
            case 3: count = try reader.unsigned(as: Int.self)
            case 4:
                var inner = try reader.message()
                rows.append(try HaveRow(from: &inner))
            default: try reader.skip()
            }
        }
        guard count > 0 else {
            self.init(part: nil, rows: rows)
            return
        }
        guard count <= ReplicationProtocol.haveParts else { throw .outOfRange(field: 3) }
        guard index < count else { throw .outOfRange(field: 2) }
        self.init(part: Part(vector: vector, index: index, count: count), rows: rows)
    }
}

extension HaveRow {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var node: NodeID?
        var stream: StreamID?
        var epoch: Epoch?
        var size: UInt64 = 0
        var root: Hash?
        var index: UInt64 = 0
        var leaf: Hash?
        while let field = try reader.next() {
            switch field {
            case 1: node = try reader.label()
            case 2: stream = StreamID(try reader.string())
            case 3: epoch = try reader.name()
            case 4: size = try reader.logIndex(field: 4)
            case 5: root = try reader.hash()
            case 30: index = try reader.logIndex(field: 30)
            case 31: leaf = try reader.hash()
            default: try reader.skip()
            }
        }
        guard let node else { throw .missing(field: 1) }
        guard let stream else { throw .missing(field: 2) }
        guard let epoch else { throw .missing(field: 3) }
        guard size > 0 else { throw .outOfRange(field: 4) }
        guard let root else { throw .missing(field: 5) }
        guard leaf != nil || index == 0 else { throw .missing(field: 31) }
        let fork = leaf.map { ForkPoint(index: index, leaf: $0) }
        guard size > fork?.index ?? 0 else { throw .outOfRange(field: 30) }
        self.init(node: node, stream: stream, epoch: epoch, size: size, root: root, fork: fork)
    }
}

extension ForkProofMessage {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var node: NodeID?
        var stream: StreamID?
        var epoch: Epoch?
        var smaller: SignedCheckpoint?
        var larger: SignedCheckpoint?
        var root: Hash?
        var path: [Hash] = []
        while let field = try reader.next() {
            switch field {
            case 1: node = try reader.label()
            case 2: stream = StreamID(try reader.string())
            case 3: epoch = try reader.name()
            case 4: smaller = try reader.checkpoint(field: 4)
            case 5: larger = try reader.checkpoint(field: 5)
            case 6: root = try reader.hash()
            case 7:
                guard path.count < ReplicationProtocol.proofHashes else { throw .outOfRange(field: 7) }
                path.append(try reader.hash())
            default: try reader.skip()
            }
        }
        guard let node else { throw .missing(field: 1) }
        guard let stream else { throw .missing(field: 2) }
        guard let epoch else { throw .missing(field: 3) }
        guard let smaller else { throw .missing(field: 4) }
        guard let larger else { throw .missing(field: 5) }
        guard let root else { throw .missing(field: 6) }
        self.init(
            node: node, stream: stream, epoch: epoch,
            proof: ForkProof(smaller: smaller, larger: larger, prefixRoot: root, path: path))
    }
}

extension ForkKnown {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var log: LogID?
        while let field = try reader.next() {
            if field == 1 { log = try reader.identifier() } else { try reader.skip() }
        }
        guard let log else { throw .missing(field: 1) }
        self.init(log: log)
    }
}

extension Want {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var log: LogID?
        var from: UInt64 = 0
        var pull: UInt64 = 0
        var credit: UInt64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: log = try reader.identifier()
            case 2: from = try reader.logIndex(field: 2)
            case 3: pull = try reader.unsigned()
            case 4: credit = try reader.unsigned()
            default: try reader.skip()
            }
        }
        guard let log else { throw .missing(field: 1) }
        // 0 is the number of what is sent unasked.
        guard pull > 0 else { throw .missing(field: 3) }
        self.init(log: log, from: from, pull: pull, creditBytes: credit)
    }
}

extension RangeMessage {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var pull: UInt64 = 0
        var log: LogID?
        var start: UInt64 = 0
        var entries: [RawEntry] = []
        var checkpoint: [UInt8] = []
        var isSentToAll = false
        while let field = try reader.next() {
            switch field {
            case 1: pull = try reader.unsigned()
            case 2: log = try reader.identifier()
            case 3: start = try reader.logIndex(field: 3)
            case 4:
                guard entries.count < ReplicationProtocol.rangeEntries else { throw .outOfRange(field: 4) }
                var inner = try reader.message()
                entries.append(try RawEntry(from: &inner))
            case 5:
                checkpoint = try reader.data()
                guard checkpoint.count <= ReplicationProtocol.checkpointBytes else { throw .outOfRange(field: 5) }
            case 6: isSentToAll = try reader.boolean()
            default: try reader.skip()
            }
        }
        guard let log else { throw .missing(field: 2) }
        guard !entries.isEmpty else { throw .missing(field: 4) }
        guard !checkpoint.isEmpty else { throw .missing(field: 5) }
        guard start + UInt64(entries.count) <= ReplicationProtocol.logSize else { throw .outOfRange(field: 3) }
        self.init(
            pull: pull, range: EntryRange(log: log, start: start, entries: entries, checkpoint: checkpoint),
            isSentToAll: isSentToAll)
    }
}

extension RawEntry {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var header: [UInt8] = []
        var body: [UInt8] = []
        while let field = try reader.next() {
            switch field {
            case 1: header = try reader.data()
            case 2: body = try reader.data()
            default: try reader.skip()
            }
        }
        guard (1...FormatLimit.headerBytes).contains(header.count) else { throw .outOfRange(field: 1) }
        guard header.count + body.count <= FormatLimit.entryBytes else { throw .outOfRange(field: 2) }
        self.init(header: header, body: body)
    }
}

extension Receipt {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var log: LogID?
        var size: UInt64 = 0
        var root: Hash?
        while let field = try reader.next() {
            switch field {
            case 1: log = try reader.identifier()
            case 2: size = try reader.logIndex(field: 2)
            case 3: root = try reader.hash()
            default: try reader.skip()
            }
        }
        guard let log else { throw .missing(field: 1) }
        guard size > 0 else { throw .outOfRange(field: 2) }
        guard let root else { throw .missing(field: 3) }
        self.init(log: log, size: size, root: root)
    }
}

extension RangeUnavailable {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(pull: 0, isAgain: false)
        while let field = try reader.next() {
            switch field {
            case 1: pull = try reader.unsigned()
            case 2: isAgain = try reader.boolean()
            default: try reader.skip()
            }
        }
        guard pull > 0 else { throw .missing(field: 1) }
    }
}

extension Refusal {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(code: RefusalCode(rawValue: 0), text: "")
        while let field = try reader.next() {
            switch field {
            case 1: code = try reader.code()
            case 2:
                text = try reader.string()
                guard text.utf8.count <= ReplicationProtocol.refusalTextBytes else { throw .outOfRange(field: 2) }
            default: try reader.skip()
            }
        }
    }
}

extension WitnessedExtension {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(oldSize: 0, path: [], checkpoint: [])
        while let field = try reader.next() {
            switch field {
            case 1: oldSize = try reader.logIndex(field: 1)
            case 2:
                guard path.count < WitnessedExtension.maximumPathCount else { throw .outOfRange(field: 2) }
                path.append(try reader.hash())
            case 3:
                checkpoint = try reader.data()
                guard checkpoint.count <= ReplicationProtocol.checkpointBytes else { throw .outOfRange(field: 3) }
            default: try reader.skip()
            }
        }
        guard !checkpoint.isEmpty else { throw .missing(field: 3) }
    }
}

extension WitnessedSize {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var log: LogID?
        var size: UInt64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: log = try reader.identifier()
            case 2: size = try reader.logIndex(field: 2)
            default: try reader.skip()
            }
        }
        guard let log else { throw .missing(field: 1) }
        self.init(log: log, size: size)
    }
}

extension CosignatureRows {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        self.init(rows: [], isAll: false)
        while let field = try reader.next() {
            switch field {
            case 1:
                guard rows.count < ReplicationProtocol.cosignatures else { throw .outOfRange(field: 1) }
                var inner = try reader.message()
                rows.append(try KeptCosignature(from: &inner))
            case 2: isAll = try reader.boolean()
            default: try reader.skip()
            }
        }
    }
}

extension KeptCosignature {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var log: LogID?
        var size: UInt64 = 0
        var root: Hash?
        var witness: WitnessName?
        var unixSeconds: UInt64 = 0
        var signature: [UInt8] = []
        while let field = try reader.next() {
            switch field {
            case 1: log = try reader.identifier()
            case 2: size = try reader.logIndex(field: 2)
            case 3: root = try reader.hash()
            case 4: witness = WitnessName(try reader.string())
            case 5: unixSeconds = try reader.unsigned()
            case 6: signature = try reader.data()
            default: try reader.skip()
            }
        }
        guard let log else { throw .missing(field: 1) }
        guard size > 0 else { throw .outOfRange(field: 2) }
        guard let root else { throw .missing(field: 3) }
        guard let witness else { throw .missing(field: 4) }
        guard unixSeconds <= Cosignature.latestUnixSeconds else { throw .outOfRange(field: 5) }
        guard signature.count == 64 else { throw .outOfRange(field: 6) }
        self.init(
            head: StatedHead(log: log, size: size, root: root), witness: witness, unixSeconds: unixSeconds,
            signature: signature)
    }
}

extension WireReader {
    /// A signed head.
    fileprivate mutating func checkpoint(field: Int) throws(WireError) -> SignedCheckpoint {
        let bytes = try data()
        guard bytes.count <= ReplicationProtocol.checkpointBytes, let checkpoint = try? SignedCheckpoint(bytes: bytes)
        else { throw .outOfRange(field: field) }
        return checkpoint
    }

    /// A size or index of a log, which is never larger than ``ReplicationProtocol/logSize``.
    fileprivate mutating func logIndex(field: Int) throws(WireError) -> UInt64 {
        let value = try unsigned()
        guard value <= ReplicationProtocol.logSize else { throw .outOfRange(field: field) }
        return value
    }
}
