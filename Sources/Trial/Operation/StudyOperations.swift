public import EventLog

/// A study begins. Its id is derived from who founded it and a random nonce, so that nobody else can found the same one.
public struct StudyFounding: Hashable, Sendable {
    /// 16 random bytes.
    public var nonce: RandomName
    /// Live, training or test.
    public var mode: StudyMode
    /// The ODM study OID: a label, not an identity.
    public var oid: StudyOID
    /// The study's name for people.
    public var name: String

    /// States a founding.
    public init(nonce: RandomName, mode: StudyMode, oid: StudyOID, name: String) {
        self.nonce = nonce
        self.mode = mode
        self.oid = oid
        self.name = name
    }

    /// The id of the study that `node` founds with `nonce`: the first 16 bytes of SHA-256 over domain, network, node and nonce.
    public static func studyID(network: NetworkID, founder: NodeID, nonce: RandomName) -> StudyID {
        var writer = WireWriter()
        writer.string(1, "varde/study/0")
        writer.string(2, network.text)
        writer.string(3, founder.text)
        writer.data(4, nonce.bytes)
        return StudyID(derivedFrom: .sha256(writer.bytes))
    }
}

/// A piece of a document too large for one entry; the document part holds its bytes.
public struct ContentChunk: Hashable, Sendable {
    /// SHA-256 of the whole document.
    public var document: Hash
    /// Which piece, from 0.
    public var position: UInt64
    /// The bytes; nil where they were dropped by an order.
    public var bytes: [UInt8]?

    /// States a piece.
    public init(document: Hash, position: UInt64, bytes: [UInt8]?) {
        self.document = document
        self.position = position
        self.bytes = bytes
    }

    /// Bytes in every piece but the last.
    public static let byteCount = 64 * 1024
}

/// A version of the study's definitions comes into force.
public struct DefinitionPublication: Hashable, Sendable {
    /// SHA-256 of the ODM document.
    public var content: Hash
    /// The entries that hold its pieces, in order.
    public var chunks: [EntryID]
    /// Bytes of the document.
    public var byteCount: UInt64
    /// OID of its MetaDataVersion.
    public var version: MetaDataVersionOID
    /// The version's name.
    public var name: String

    /// States a publication.
    public init(content: Hash, chunks: [EntryID], byteCount: UInt64, version: MetaDataVersionOID, name: String) {
        self.content = content
        self.chunks = chunks
        self.byteCount = byteCount
        self.version = version
        self.name = name
    }
}

/// A location's place in a study.
public struct Member: Hashable, Sendable, Codable {
    /// The location.
    public var location: LocationID
    /// The institution's acceptance, nil while it is only invited.
    public var acceptance: EntryID?

    /// Invites a location, or opens its stream on the ground of an acceptance.
    public init(location: LocationID, acceptance: EntryID? = nil) {
        self.location = location
        self.acceptance = acceptance
    }
}

/// One or more locations under one principal investigator, as the sponsor sees them.
public struct StudySite: Hashable, Sendable, Codable {
    /// Its id in this study.
    public var id: StudySiteID
    /// Its name.
    public var name: String
    /// Whether its locations hold each other's streams and follow up each other's participants.
    public var isRegional: Bool
    /// Its locations.
    public var locations: [LocationID]
    /// The node that numbers its delegation chain.
    public var owner: NodeID

    /// States a site.
    public init(id: StudySiteID, name: String, isRegional: Bool, locations: [LocationID], owner: NodeID) {
        self.id = id
        self.name = name
        self.isRegional = isRegional
        self.locations = locations
        self.owner = owner
    }
}

/// A number of the study's participation chain: the whole of what holds from then on.
public struct Participation: Hashable, Sendable {
    /// From 1.
    public var number: UInt64
    /// The entry of the number before; nil for the first.
    public var previous: EntryID?
    /// Who answers for the study.
    public var sponsor: String
    /// The nodes that hold everything and number this chain.
    public var coordinatingNodes: [NodeID]
    /// Invited and open locations.
    public var members: [Member]
    /// The study sites.
    public var sites: [StudySite]
    /// Who may order what to be dropped; nil for all whose role may order at all.
    public var orders: OrderPermissions?

    /// States a number.
    public init(
        number: UInt64, previous: EntryID?, sponsor: String, coordinatingNodes: [NodeID], members: [Member],
        sites: [StudySite], orders: OrderPermissions? = nil
    ) {
        self.orders = orders
        self.number = number
        self.previous = previous
        self.sponsor = sponsor
        self.coordinatingNodes = coordinatingNodes
        self.members = members
        self.sites = sites
    }

    /// The study site that a location belongs to.
    public func site(of location: LocationID) -> StudySite? {
        sites.first { $0.locations.contains(location) }
    }
}

/// An institution accepts an invitation for locations it hosts, or withdraws that.
public struct ParticipationAnswer: Hashable, Sendable {
    /// The participation entry that invites.
    public var invitation: EntryID
    /// The locations concerned.
    public var locations: [LocationID]
    /// The agreement it rests on.
    public var agreement: String
    /// The approval (REK, CTIS).
    public var approval: String
    /// ISO 8601 date.
    public var date: String
    /// Of an acceptance: the withdrawals that its node knew, and that it takes back.
    public var seen: [EntryID]

    /// States an answer.
    public init(
        invitation: EntryID, locations: [LocationID], agreement: String, approval: String, date: String,
        seen: [EntryID] = []
    ) {
        self.invitation = invitation
        self.locations = locations
        self.agreement = agreement
        self.approval = approval
        self.date = date
        self.seen = seen
    }
}

/// How many entries of a log somebody holds, from its beginning on.
public struct LogExtent: Hashable, Sendable {
    /// The log.
    public let log: LogID
    /// The number of entries.
    public let size: UInt64

    /// States an extent.
    public init(log: LogID, size: UInt64) {
        self.log = log
        self.size = size
    }

    func write(into writer: inout WireWriter) {
        writer.identifier(1, log)
        writer.unsigned(2, size)
    }

    init(from reader: inout WireReader) throws(WireError) {
        var log: LogID?
        var size: UInt64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: log = try reader.identifier()
            case 2: size = try reader.unsigned()
            default: try reader.skip()
            }
        }
        guard let log else { throw .missing(field: 1) }
        self.init(log: log, size: size)
    }
}

/// A number of a study site's delegation chain: one grant, or the end of one.
public struct Delegation: Hashable, Sendable {
    /// The study site.
    public var site: StudySiteID
    /// From 1, by site.
    public var number: UInt64
    /// The entry of the number before; nil for the first.
    public var previous: EntryID?
    /// The person or system.
    public var actor: ActorID
    /// The name as the delegation log shows it.
    public var name: String
    /// In what role.
    public var role: Role
    /// First day, ISO 8601.
    public var from: String
    /// Last day, if it is known.
    public var to: String?
    /// The grant that this entry ends; nil where it grants.
    public var ends: EntryID?
    /// Where it ends a grant: how far its node held each log of the site's locations. What stands within was written before.
    public var held: [LogExtent]

    /// The most extents that one entry states, so that it stays small; of a log that is not stated nothing was before.
    static let extentLimit = 1024

    /// States a number.
    public init(
        site: StudySiteID, number: UInt64, previous: EntryID?, actor: ActorID, name: String, role: Role, from: String,
        to: String? = nil, ends: EntryID? = nil, held: [LogExtent] = []
    ) {
        self.site = site
        self.number = number
        self.previous = previous
        self.actor = actor
        self.name = name
        self.role = role
        self.from = from
        self.to = to
        self.ends = ends
        self.held = held
    }
}
