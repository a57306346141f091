public import EventLog

/// The name of a class of restricted items, `[a-z0-9.-]{1,63}`; it is part of the name of their stream.
public struct RestrictionClass: LabelIdentifier, Codable {
    /// The text.
    public let text: String
    /// Wraps text already known to be well formed.
    public init(unchecked text: String) { self.text = text }

    /// Reads a single string, refusing one that is no label.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let name = RestrictionClass(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "no class name")
        }
        self = name
    }

    /// Writes a single string.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
