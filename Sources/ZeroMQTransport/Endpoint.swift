/// The form of addresses: `tcp://HOST:PORT`.
///
/// libzmq takes port 70000 for 4464 without a word, so what people write is checked here first.
enum Endpoint {
    /// What is wrong with `text`, or nil. To listen, the port may be 0 or `*`: the system chooses.
    static func fault(in text: String, listening: Bool) -> String? {
        let scheme = "tcp://"
        guard text.hasPrefix(scheme) else { return "it does not begin with \(scheme)" }
        let rest = text.dropFirst(scheme.count)
        guard text.utf8.count <= 300, text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            return "it is longer than 300 characters or holds others than printable ASCII"
        }
        guard let colon = rest.lastIndex(of: ":") else { return "it names no port" }
        let host = rest[..<colon]
        let port = rest[rest.index(after: colon)...]
        guard !host.isEmpty else { return "it names no host" }
        guard host.hasPrefix("[") == host.hasSuffix("]"), host.hasPrefix("[") || !host.contains(":") else {
            return "an IPv6 address stands in brackets"
        }
        if listening && port == "*" { return nil }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt16(port), listening || number > 0
        else {
            return "\"\(port)\" is no port, \(listening ? 0 : 1) to 65535"
        }
        return nil
    }
}
