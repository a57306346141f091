/// The first byte of every frame.
package enum FrameKind {
    /// The rest of the frame is the message.
    package static let data: UInt8 = 0
    /// The rest of the frame is a ``Greeting``.
    package static let greeting: UInt8 = 1
}

/// The transport's own frame: it brings a link up and keeps it up.
///
/// Behind the kind byte: version (1 byte), purpose (1 byte), token and incarnation (8 bytes each, big-endian).
package struct Greeting: Equatable, Sendable {
    /// What the frame is for.
    package enum Purpose: UInt8, Sendable {
        /// A sign of life; asks for nothing.
        case keepalive = 0
        /// From the side that connected: is anybody there? Repeated until answered.
        case greeting = 1
        /// The answer to a greeting, with its token.
        case answer = 2
    }

    package let purpose: Purpose
    /// Names one connection of the side that opened it, so that an answer left over from an earlier one raises nothing.
    package let token: UInt64
    /// Drawn at the sender's start, so that a restart shows even when the connection is back before anybody noticed.
    package let incarnation: UInt64

    package static let version: UInt8 = 1
    package static let byteCount = 18

    package init(purpose: Purpose, token: UInt64, incarnation: UInt64) {
        self.purpose = purpose
        self.token = token
        self.incarnation = incarnation
    }

    /// Reads what stands behind the kind byte; nil for any other length, version or purpose.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Greeting.byteCount else { return nil }
        let bytes = [UInt8](bytes)
        guard bytes[0] == Greeting.version, let purpose = Purpose(rawValue: bytes[1]) else { return nil }
        self.purpose = purpose
        token = bytes[2..<10].reduce(0) { $0 << 8 | UInt64($1) }
        incarnation = bytes[10..<18].reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// What stands behind the kind byte.
    package var bytes: [UInt8] {
        var bytes = [Greeting.version, purpose.rawValue]
        for word in [token, incarnation] {
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
            }
        }
        return bytes
    }
}
