package import EventLog

/// Orders under which parts are missing in a range that comes next, each with the proof that it stands in its own log.
package struct OrdersMessage: Hashable, Sendable {
    /// The orders. Their network is left out, as in a ``HaveRow``.
    package var entries: [SentOrder]

    /// States orders.
    package init(entries: [SentOrder]) {
        self.entries = entries
    }
}

/// One order on its way.
package struct SentOrder: Hashable, Sendable {
    /// The writer of its log.
    package var node: NodeID
    /// The stream.
    package var stream: StreamID
    /// The run of the writer's log.
    package var epoch: Epoch
    /// Its index there.
    package var index: UInt64
    /// Its bytes.
    package var raw: RawEntry
    /// The signed note of a checkpoint above it.
    package var checkpoint: [UInt8]
    /// The inclusion proof.
    package var path: [Hash]

    /// States an order.
    package init(
        node: NodeID, stream: StreamID, epoch: Epoch, index: UInt64, raw: RawEntry, checkpoint: [UInt8], path: [Hash]
    ) {
        self.node = node
        self.stream = stream
        self.epoch = epoch
        self.index = index
        self.raw = raw
        self.checkpoint = checkpoint
        self.path = path
    }

    /// States an order that is held.
    init(_ proven: OrderAhead) {
        self.init(
            node: proven.name.node, stream: proven.name.stream, epoch: proven.name.epoch, index: proven.index,
            raw: proven.raw, checkpoint: proven.checkpoint, path: proven.path)
    }

    /// The order in a network.
    func proven(in network: NetworkID) -> OrderAhead {
        OrderAhead(
            name: LogName(network: network, node: node, stream: stream, epoch: epoch), index: index, raw: raw,
            checkpoint: checkpoint, path: path)
    }

    /// Bytes that it takes about.
    var byteCount: Int { raw.byteCount + checkpoint.count + path.count * Hash.byteCount }
}

extension OrdersMessage {
    func write(to writer: inout WireWriter) {
        for order in entries {
            writer.message(1) { inner in
                inner.string(1, order.node.text)
                inner.string(2, order.stream.description)
                inner.name(3, order.epoch)
                inner.unsigned(4, order.index)
                inner.data(5, order.raw.header)
                inner.data(6, order.raw.body)
                inner.data(7, order.checkpoint)
                for hash in order.path { inner.hash(8, hash) }
            }
        }
    }

    init(from reader: inout WireReader) throws(WireError) {
        self.init(entries: [])
        while let field = try reader.next() {
            guard field == 1 else {
                try reader.skip()
                continue
            }
            guard entries.count < ReplicationProtocol.ordersInMessage else { throw .outOfRange(field: 1) }
            var inner = try reader.message()
            entries.append(try SentOrder(from: &inner))
        }
    }
}

extension SentOrder {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var node: NodeID?
        var stream: StreamID?
        var epoch: Epoch?
        var index: UInt64 = 0
        var header: [UInt8] = []
        var body: [UInt8] = []
        var checkpoint: [UInt8] = []
        var path: [Hash] = []
        while let field = try reader.next() {
            switch field {
            case 1: node = try reader.label()
            case 2:
                stream = StreamID(try reader.string())
                guard stream != nil else { throw .outOfRange(field: 2) }
            case 3: epoch = try reader.name()
            case 4: index = try reader.unsigned()
            case 5: header = try reader.data()
            case 6: body = try reader.data()
            case 7: checkpoint = try reader.data()
            case 8:
                guard path.count < OrderAhead.maximumPathLength else { throw .outOfRange(field: 8) }
                path.append(try reader.hash())
            default: try reader.skip()
            }
        }
        guard let node else { throw .missing(field: 1) }
        guard let stream else { throw .missing(field: 2) }
        guard let epoch else { throw .missing(field: 3) }
        guard index < ReplicationProtocol.logSize else { throw .outOfRange(field: 4) }
        guard header.count <= FormatLimit.headerBytes else { throw .outOfRange(field: 5) }
        guard header.count + body.count <= FormatLimit.entryBytes else { throw .outOfRange(field: 6) }
        guard checkpoint.count <= ReplicationProtocol.checkpointBytes else { throw .outOfRange(field: 7) }
        self.init(
            node: node, stream: stream, epoch: epoch, index: index, raw: RawEntry(header: header, body: body),
            checkpoint: checkpoint, path: path)
    }
}
