extension Charter {
    /// The format version of charters that this software writes and reads.
    static let formatVersion: UInt64 = 0

    /// The bytes that are signed and hashed: `varde.v0.Charter` of `Protocols/charter.proto`, its format version first.
    public var bytes: [UInt8] {
        var writer = WireWriter(capacity: 256 + nodes.count * 256 + locations.count * 128)
        writer.unsigned(1, always: Charter.formatVersion)
        writer.string(2, network.text)
        writer.unsigned(3, number)
        if let previous { writer.hash(4, previous) }
        for node in nodes {
            writer.message(5) { node.write(to: &$0) }
        }
        for location in locations {
            writer.message(6) { inner in
                inner.string(1, location.id.text)
                inner.string(2, location.name)
                inner.string(3, location.host.text)
                inner.string(4, location.region ?? "")
            }
        }
        for administrator in administrators { writer.identifier(7, administrator) }
        for hash in settles { writer.hash(8, hash) }
        return writer.bytes
    }

    /// Reads a version of the charter. Whether its contents agree is for ``checkAlone()`` to say.
    ///
    /// - Throws: ``CharterError/tooLarge(byteCount:limit:)``, ``CharterError/tooMany(_:limit:)`` or
    ///   ``CharterError/unreadable(_:)``.
    public init(bytes: [UInt8]) throws(CharterError) {
        guard bytes.count <= CharterLimit.charterBytes else {
            throw .tooLarge(byteCount: bytes.count, limit: CharterLimit.charterBytes)
        }
        var fields = Fields()
        do throws(WireError) {
            var reader = WireReader(bytes)
            try reader.readFormatVersion(Charter.formatVersion)
            while let field = try reader.next() { try fields.read(field, &reader) }
        } catch {
            throw fields.excess ?? .unreadable(error)
        }
        guard let network = fields.network else { throw .unreadable(.missing(field: 2)) }
        self.init(
            network: network, number: fields.number, previous: fields.previous, nodes: fields.nodes,
            locations: fields.locations, administrators: fields.administrators, settles: fields.settles)
    }

    /// What has been read so far.
    private struct Fields {
        var network: NetworkID?
        var number: UInt64 = 0
        var previous: Hash?
        var nodes: [CharterNode] = []
        var locations: [CharterLocation] = []
        var administrators: [AdministratorPublicKey] = []
        var settles: [Hash] = []
        var acceptedCount = 0
        /// Set where reading stopped because there was too much of something.
        var excess: CharterError?

        mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) {
            switch field {
            case 2: network = try reader.label()
            case 3: number = try reader.unsigned()
            case 4: previous = try reader.hash()
            case 5:
                try limit(nodes.count, .nodes, CharterLimit.nodes)
                var inner = try reader.message()
                let node = try CharterNode(from: &inner)
                acceptedCount += node.accepted.count
                // The count before this node, so that the limit itself is still allowed.
                try limit(acceptedCount - 1, .acceptedHeads, CharterLimit.acceptedHeads)
                nodes.append(node)
            case 6:
                try limit(locations.count, .locations, CharterLimit.locations)
                var inner = try reader.message()
                locations.append(try CharterLocation(from: &inner))
            case 7:
                try limit(administrators.count, .administrators, CharterLimit.administrators)
                administrators.append(try reader.identifier())
            case 8:
                try limit(settles.count, .settled, CharterLimit.settled)
                settles.append(try reader.hash())
            default: try reader.skip()
            }
        }

        private mutating func limit(
            _ count: Int, _ what: CharterError.Part, _ limit: Int
        ) throws(WireError) {
            guard count >= limit else { return }
            excess = .tooMany(what, limit: limit)
            throw .outOfRange(field: 0)
        }
    }
}

extension CharterNode {
    fileprivate func write(to writer: inout WireWriter) {
        writer.string(1, id.text)
        writer.string(2, name)
        writer.string(3, region ?? "")
        writer.identifier(4, signingKey)
        writer.identifier(5, curveKey)
        writer.identifier(6, witnessKey)
        writer.unsigned(7, state.rawValue)
        for head in accepted { writer.message(8) { head.write(into: &$0) } }
    }

    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var id: NodeID?
        var name = ""
        var region = ""
        var signingKey: SigningPublicKey?
        var curveKey: NodeCurvePublicKey?
        var witnessKey: WitnessPublicKey?
        var state: State?
        var accepted: [StatedHead] = []
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.label()
            case 2: name = try reader.string()
            case 3: region = try reader.string()
            case 4: signingKey = try reader.identifier()
            case 5: curveKey = try reader.identifier()
            case 6: witnessKey = try reader.identifier()
            case 7: state = try reader.enumeration(State.self)
            case 8:
                guard accepted.count < CharterLimit.acceptedHeads else { throw .outOfRange(field: 8) }
                var inner = try reader.message()
                accepted.append(try StatedHead(from: &inner))
            default: try reader.skip()
            }
        }
        guard let id else { throw .missing(field: 1) }
        guard let signingKey else { throw .missing(field: 4) }
        guard let curveKey else { throw .missing(field: 5) }
        guard let witnessKey else { throw .missing(field: 6) }
        guard let state else { throw .missing(field: 7) }
        self.init(
            id: id, name: name, region: region.isEmpty ? nil : region, signingKey: signingKey, curveKey: curveKey,
            witnessKey: witnessKey, state: state, accepted: accepted)
    }
}

extension CharterLocation {
    fileprivate init(from reader: inout WireReader) throws(WireError) {
        var id: LocationID?
        var name = ""
        var host: NodeID?
        var region = ""
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.label()
            case 2: name = try reader.string()
            case 3: host = try reader.label()
            case 4: region = try reader.string()
            default: try reader.skip()
            }
        }
        guard let id else { throw .missing(field: 1) }
        guard let host else { throw .missing(field: 3) }
        self.init(id: id, name: name, host: host, region: region.isEmpty ? nil : region)
    }
}
