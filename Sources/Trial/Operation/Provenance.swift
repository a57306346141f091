import EventLog

/// Where a datum came from (DESIGN §4).
public enum Source: UInt64, Sendable, Codable {
    /// Entered directly, the EDC being the source.
    case direct = 1
    case paper = 2
    case electronicHealthRecord = 3
    case patient = 4
    case device = 5
    /// Read from a file recorded elsewhere.
    case imported = 6
    /// Made by software.
    case system = 7
}

/// What a file says of who recorded something elsewhere, kept as it stood there (ODM AuditRecord).
public struct ImportOrigin: Hashable, Sendable, Codable {
    /// SHA-256 of the file, 64 hexadecimal digits.
    public var fileSHA256: String
    /// Running number in the file, from 0.
    public var position: UInt64
    /// UserOID.
    public var user: String?
    /// LocationOID.
    public var location: String?
    /// DateTimeStamp, as written.
    public var time: String?

    /// States an origin.
    public init(
        fileSHA256: String, position: UInt64, user: String? = nil, location: String? = nil, time: String? = nil
    ) {
        self.fileSHA256 = fileSHA256
        self.position = position
        self.user = user
        self.location = location
        self.time = time
    }
}

/// A device's clock when something was recorded on it.
public struct DeviceTime: Hashable, Sendable, Codable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var utcMilliseconds: Int64
    /// Minutes east of UTC.
    public var offsetMinutes: Int64

    /// States a time.
    public init(utcMilliseconds: Int64, offsetMinutes: Int64) {
        self.utcMilliseconds = utcMilliseconds
        self.offsetMinutes = offsetMinutes
    }
}

/// How a person had shown who they are, when and how strongly.
public struct AuthenticationDetail: Hashable, Sendable, Codable {
    /// The method's name.
    public var method: String
    /// The level of assurance, as the method names it.
    public var level: String
    /// When, in milliseconds since 1970-01-01T00:00:00Z.
    public var utcMilliseconds: Int64?

    /// States it.
    public init(method: String, level: String, utcMilliseconds: Int64? = nil) {
        self.method = method
        self.level = level
        self.utcMilliseconds = utcMilliseconds
    }
}

/// How what is entered came to be entered: in the structure part of every entry about a participant.
public struct Provenance: Hashable, Sendable, Codable {
    /// Where it came from.
    public var source: Source
    /// The sender's own identifier for it.
    public var externalIdentifier: String?
    /// The location where it was performed, where that is not where it is recorded.
    public var performedAt: String?
    /// The clinical date, possibly partial, ISO 8601.
    public var occurred: String?
    /// When a device recorded it.
    public var recorded: DeviceTime?
    /// When the node received it, milliseconds since 1970-01-01T00:00:00Z.
    public var receivedUTCMilliseconds: Int64?
    /// Whom the actor acted for, and why.
    public var onBehalfOf: String?
    /// BCP 47 tag of the language shown.
    public var language: String?
    /// Name and version of the client.
    public var client: String?
    /// How the actor had logged in.
    public var authentication: AuthenticationDetail?
    /// What a file said of its origin.
    public var origin: ImportOrigin?

    /// States where it came from; the rest is filled in where known.
    public init(source: Source) {
        self.source = source
    }
}

extension Provenance {
    /// Fields 30 to 40 of every structure part.
    func write(into writer: inout WireWriter) {
        writer.unsigned(30, source.rawValue)
        if let externalIdentifier { writer.string(31, always: externalIdentifier) }
        if let performedAt { writer.string(32, always: performedAt) }
        if let occurred { writer.string(33, always: occurred) }
        if let recorded {
            writer.message(34) { inner in
                inner.signed(1, recorded.utcMilliseconds)
                inner.signed(2, recorded.offsetMinutes)
            }
        }
        if let receivedUTCMilliseconds { writer.signed(35, always: receivedUTCMilliseconds) }
        if let onBehalfOf { writer.string(36, always: onBehalfOf) }
        if let language { writer.string(37, always: language) }
        if let client { writer.string(38, always: client) }
        if let authentication {
            writer.message(39) { inner in
                inner.string(1, authentication.method)
                inner.string(2, authentication.level)
                if let time = authentication.utcMilliseconds { inner.signed(3, always: time) }
            }
        }
        if let origin {
            writer.message(40) { inner in
                inner.string(1, origin.fileSHA256)
                inner.unsigned(2, origin.position)
                if let user = origin.user { inner.string(3, always: user) }
                if let location = origin.location { inner.string(4, always: location) }
                if let time = origin.time { inner.string(5, always: time) }
            }
        }
    }

    /// Reads one field of 30 to 40; false where the field is not one of them.
    mutating func read(_ field: Int, _ reader: inout WireReader) throws(WireError) -> Bool {
        switch field {
        case 30: source = try reader.enumeration(Source.self)
        case 31: externalIdentifier = try reader.string()
        case 32: performedAt = try reader.string()
        case 33: occurred = try reader.string()
        case 34:
            var inner = try reader.message()
            // Messages that stand twice are merged, here and below: what protobuf says of them.
            var time = recorded ?? DeviceTime(utcMilliseconds: 0, offsetMinutes: 0)
            while let field = try inner.next() {
                switch field {
                case 1: time.utcMilliseconds = try inner.signed()
                case 2: time.offsetMinutes = try inner.signed()
                default: try inner.skip()
                }
            }
            recorded = time
        case 35: receivedUTCMilliseconds = try reader.signed()
        case 36: onBehalfOf = try reader.string()
        case 37: language = try reader.string()
        case 38: client = try reader.string()
        case 39:
            var inner = try reader.message()
            var detail = authentication ?? AuthenticationDetail(method: "", level: "")
            try detail.read(&inner)
            authentication = detail
        case 40:
            var inner = try reader.message()
            var whence = origin ?? ImportOrigin(fileSHA256: "", position: 0)
            try whence.read(&inner)
            origin = whence
        default: return false
        }
        return true
    }
}

extension AuthenticationDetail {
    fileprivate mutating func read(_ reader: inout WireReader) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: method = try reader.string()
            case 2: level = try reader.string()
            case 3: utcMilliseconds = try reader.signed()
            default: try reader.skip()
            }
        }
    }
}

extension ImportOrigin {
    fileprivate mutating func read(_ reader: inout WireReader) throws(WireError) {
        while let field = try reader.next() {
            switch field {
            case 1: fileSHA256 = try reader.string()
            case 2: position = try reader.unsigned()
            case 3: user = try reader.string()
            case 4: location = try reader.string()
            case 5: time = try reader.string()
            default: try reader.skip()
            }
        }
    }
}

extension WireWriter {
    /// A signed number in zigzag form, written also when it is zero: that it is there says something.
    fileprivate mutating func signed(_ field: Int, always value: Int64) {
        unsigned(field, always: UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }
}
