import CZeroMQ

/// Why the transport could not be set up, in words for the person who runs the node.
public enum TransportError: Error, Equatable, Sendable {
    /// libzmq on this machine is too old or lacks CURVE.
    case unsuitableLibrary(reason: String)
    /// A name, limit or time that was given cannot be used.
    case invalidConfiguration(reason: String)
    /// Bytes or text that are no CURVE key.
    case invalidKey(reason: String)
    /// The address to listen at could not be bound.
    case cannotListen(address: String, reason: String, advice: String)
    /// The address of a peer could not be used. That a peer does not answer is no error.
    case cannotConnect(node: String, address: String, reason: String, advice: String)
    /// libzmq refused a socket option.
    case optionRefused(option: String, reason: String)
    /// The operating system gave no socket, thread or memory.
    case outOfResources(operation: String, reason: String)
    /// `start()` was called a second time; a transport is started once.
    case alreadyStarted
}

extension TransportError: CustomStringConvertible {
    /// What was wrong, where, and what to do.
    public var description: String {
        switch self {
        case .unsuitableLibrary(let reason):
            return "The ZeroMQ library cannot be used: \(reason)."
        case .invalidConfiguration(let reason):
            return "The transport's configuration cannot be used: \(reason)."
        case .invalidKey(let reason):
            return "This is no CURVE key: \(reason)."
        case .cannotListen(let address, let reason, let advice):
            return "Cannot listen at \(address): \(reason). \(advice)"
        case .cannotConnect(let node, let address, let reason, let advice):
            return "Cannot connect to \(node) at \(address): \(reason). \(advice)"
        case .optionRefused(let option, let reason):
            return "libzmq refused the socket option \(option): \(reason). Check the limits and times configured."
        case .outOfResources(let operation, let reason):
            return "Cannot \(operation): \(reason). Check the limits on open files and threads (ulimit -a)."
        case .alreadyStarted:
            return "This transport was started before; make a new one to start again."
        }
    }
}

/// The words of libzmq and of the operating system for error numbers.
enum ErrorText {
    /// The words for an error number.
    static func of(_ code: Int32) -> String {
        zmq_strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }

    /// The words for the calling thread's last error in libzmq.
    static var last: String { of(zmq_errno()) }

    /// What a person can do about an address that cannot be bound.
    static func adviceForListening(_ code: Int32) -> String {
        switch code {
        case EADDRINUSE:
            return "Is another node running, or another program at this port? Stop it or configure another port."
        case EADDRNOTAVAIL, ENODEV:
            return "No network interface of this machine has this address; use one of its own or tcp://*:PORT."
        case EACCES:
            return "Ports below 1024 are reserved; configure a higher one."
        default:
            return adviceForAddresses
        }
    }

    /// What an address should look like.
    static let adviceForAddresses = "An address has the form tcp://HOST:PORT."
}
