public import EventLog

/// What a study allows to be ordered, by role: it takes from what the roles may do (`Protocols/merge.md`, M30) and adds
/// nothing.
public struct OrderPermissions: Hashable, Sendable {
    /// Roles that may have parts of an entry dropped.
    public var redaction: [Role]
    /// Roles that may have a participant erased.
    public var erasure: [Role]

    /// States what is allowed; an empty list allows it to nobody.
    public init(redaction: [Role], erasure: [Role]) {
        self.redaction = redaction
        self.erasure = erasure
    }

    /// Whether an order of this kind is allowed to a role.
    func allow(_ role: Role, _ operation: OperationType) -> Bool {
        (operation == .erasureOrdered ? erasure : redaction).contains(role)
    }
}

extension OrderPermissions {
    func write(into writer: inout WireWriter) {
        writer.packed(1, redaction.map(\.rawValue))
        writer.packed(2, erasure.map(\.rawValue))
    }

    mutating func read(_ reader: inout WireReader) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: try reader.forEachUnsigned { redaction.append(Role(rawValue: $0)) }
            case 2: try reader.forEachUnsigned { erasure.append(Role(rawValue: $0)) }
            default: try reader.skip()
            }
        }
    }
}

/// In commands roles go by their names.
extension OrderPermissions: Codable {
    private enum CodingKeys: String, CodingKey {
        case redaction, erasure
    }

    /// Reads names of roles.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            redaction: try container.decode([RoleName].self, forKey: .redaction).map(\.role),
            erasure: try container.decode([RoleName].self, forKey: .erasure).map(\.role))
    }

    /// Writes names of roles; those that commands do not have are left out.
    public func encode(to encoder: any Encoder) throws {
        func names(_ roles: [Role]) -> [RoleName] {
            roles.compactMap { role in RoleName.allCases.first { $0.role == role } }
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(names(redaction), forKey: .redaction)
        try container.encode(names(erasure), forKey: .erasure)
    }
}
