/// Why a version of the charter was refused: each case is one rule.
public enum CharterError: Error, Hashable, Sendable {
    /// What there may be too many of.
    public enum Part: String, Hashable, Sendable {
        case nodes, locations, administrators, signatures, versions
        case acceptedHeads = "accepted heads"
        case settled = "settled versions"
    }

    /// The bytes are no charter of a version this software reads.
    case unreadable(WireError)
    /// The bytes are more than ``CharterLimit`` allows.
    case tooLarge(byteCount: Int, limit: Int)
    /// The list is longer than ``CharterLimit`` allows.
    case tooMany(Part, limit: Int)
    /// A name or region is empty, too long, or holds control characters.
    case malformedName(of: String)
    /// The version has no administrator, so nobody could sign the next one.
    case noAdministrators
    /// A node is listed twice.
    case nodeRepeated(NodeID)
    /// A location is listed twice.
    case locationRepeated(LocationID)
    /// A location's host is no node of the version.
    case hostUnknown(LocationID, host: NodeID)
    /// Two keys of the version are equal, whatever they are for.
    case keyRepeated(Hash)
    /// A key is no acceptable public key (see ``Ed25519/isAcceptablePublicKey(_:)``).
    case keyUnacceptable(Hash)
    /// A node's accepted heads name a log twice.
    case acceptedHeadRepeated(NodeID, LogID)
    /// Version 0 names a version before it, or a later one names none.
    case previousMisplaced(number: UInt64)
    /// Version 0 is not the one whose hash was given by hand.
    case foundingMismatch(expected: Hash, found: Hash)
    /// The version's number does not follow.
    case numberUnexpected(expected: UInt64, found: UInt64)
    /// The version names another version before it than the one that is here: the chains contradict each other.
    case previousMismatch(number: UInt64)
    /// Rival versions are named twice, or by version 0.
    case settledMisplaced
    /// Rival versions follow the same version, and this one does not settle between all of them.
    case disputed(after: UInt64)
    /// The version is of another network.
    case networkChanged(from: NetworkID, to: NetworkID)
    /// A node of the version before is no longer listed.
    case nodeDropped(NodeID)
    /// A location of the version before is no longer listed.
    case locationDropped(LocationID)
    /// An admitted node has a key that was revoked or replaced before.
    case keyReturned(NodeID)
    /// Accepted heads are stated for a node none of whose keys was ever revoked or replaced.
    case acceptedHeadsUnexpected(NodeID)
    /// An accepted head of the version before is gone, smaller, or has another root at the same size.
    case acceptedHeadWithdrawn(NodeID, LogID)
    /// A signature under the name of an administrator is not valid.
    case signatureInvalid(AdministratorPublicKey)
    /// Too few administrators of the version before signed.
    case signaturesMissing(valid: Int, needed: Int)
}

extension CharterError: CustomStringConvertible {
    /// A sentence for people.
    public var description: String {
        switch self {
        case .unreadable(let error): "the charter cannot be read: \(error)"
        case .tooLarge(let count, let limit): "the charter has \(count) bytes; at most \(limit) are read"
        case .tooMany(let part, let limit): "the charter has too many \(part.rawValue); at most \(limit) are allowed"
        case .malformedName(let owner):
            "the name or region of '\(owner)' is empty, longer than \(CharterLimit.nameBytes) bytes, "
                + "or holds control characters; give it a printable name"
        case .noAdministrators:
            "the charter names no administrator, so nobody could sign the next version; name at least one"
        case .nodeRepeated(let node): "node '\(node)' is listed twice"
        case .locationRepeated(let location): "location '\(location)' is listed twice"
        case .hostUnknown(let location, let host):
            "location '\(location)' is hosted by '\(host)', which is no node of this version; list the node first"
        case .keyRepeated(let key): "key \(key) occurs twice; every node and every purpose needs a key of its own"
        case .keyUnacceptable(let key): "key \(key) is weak or irregularly written; make a new key"
        case .acceptedHeadRepeated(let node, let log): "the accepted heads of '\(node)' name log \(log) twice"
        case .acceptedHeadsUnexpected(let node):
            "'\(node)' has accepted heads, but none of its keys was revoked or replaced; leave them out"
        case .acceptedHeadWithdrawn(let node, let log):
            "the accepted head of log \(log) of '\(node)' was dropped, lowered or altered; it may only grow"
        default: chainDescription
        }
    }

    /// The sentences on how a version follows the one before.
    private var chainDescription: String {
        switch self {
        case .previousMisplaced(let number):
            number == 0
                ? "version 0 of a charter must name no version before it"
                : "version \(number) of the charter does not name the version before it"
        case .foundingMismatch(let expected, let found):
            "version 0 has the hash \(found), not \(expected) as given by hand: it is another network's charter, "
                + "or the hash was copied wrongly"
        case .numberUnexpected(let expected, let found):
            "version \(found) of the charter came where \(expected) must follow"
        case .previousMismatch(let number):
            "version \(number) of the charter follows another version \(number == 0 ? 0 : number - 1) than the one here: "
                + "two charters contradict each other; the administrators must settle which one holds"
        case .settledMisplaced: "a version of the charter names a rival version twice, or one where there can be none"
        case .disputed(let number):
            "two or more versions of the charter follow version \(number); nothing but a version that settles between them "
                + "all can follow: make one with 'varde network settle'"
        case .networkChanged(let from, let to): "the charter of network '\(from)' cannot become that of '\(to)'"
        case .nodeDropped(let node): "node '\(node)' is missing; revoke it instead, its entries stay"
        case .locationDropped(let location): "location '\(location)' is missing; locations stay listed"
        case .keyReturned(let node): "'\(node)' is given a key that was revoked or replaced before; make new keys"
        case .signatureInvalid(let key): "the signature of administrator \(key) does not fit the charter"
        case .signaturesMissing(let valid, let needed):
            "\(valid) administrators of the version before signed, \(needed) are needed; collect more signatures"
        default: "the charter is refused"
        }
    }
}
