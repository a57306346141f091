import Node

/// An address of this machine that no other machine reaches: the only kind at which the interface listens until people
/// have accounts.
public struct LoopbackAddress: Hashable, Sendable {
    /// The address as it is bound, without brackets.
    public let host: String

    /// Takes `localhost`, an address of `127.0.0.0/8` or `::1`; nil for anything else.
    public init?(_ text: String) {
        switch text {
        case "localhost": host = "127.0.0.1"
        case "::1", "[::1]": host = "::1"
        default:
            let numbers = text.split(separator: ".", omittingEmptySubsequences: false)
            guard numbers.count == 4, numbers[0] == "127",
                numbers.allSatisfy({ UInt8($0) != nil && $0.allSatisfy(\.isNumber) })
            else { return nil }
            host = text
        }
    }

    /// The host as it stands in an address of the web.
    var authority: String { host.contains(":") ? "[\(host)]" : host }

    /// The names by which a browser of this machine may reach a port of this address, as `Host` has them.
    ///
    /// Whoever comes under another name was led here by a name server (DNS rebinding).
    func authorities(port: UInt16) -> Set<String> {
        ["\(authority):\(port)", "localhost:\(port)"]
    }
}

/// Why the interface cannot listen.
public enum WebStartError: Error, CustomStringConvertible {
    /// Other machines could reach the address.
    case notLoopback(String)

    /// What was wrong and what to do.
    public var description: String {
        switch self {
        case .notLoopback(let address):
            "node.json lets the HTTP interface listen at '\(address)', which is no address of loopback: until people have "
                + "accounts it listens at 127.0.0.1 or ::1 only; reach it from elsewhere through an SSH tunnel"
        }
    }
}
