import CZeroMQ
import Glibc

/// A socket option and the name its manual gives it.
struct SocketOption {
    let code: Int32
    let name: String

    init(_ code: Int32, _ name: String) {
        self.code = code
        self.name = name
    }
}

/// A ZeroMQ socket, and the reader of its monitor where it has one. Lives on the polling thread.
///
/// Invariants:
/// - Every call is made on the thread that made the socket.
/// - LINGER is 0: closing never waits for messages.
/// - The monitor's reader outlives the monitor: libzmq's I/O thread would hang for ever on an event nobody can read
///   (libzmq #3575), and so would it on a reader with a high-water mark that waits for us.
final class Socket {
    let pointer: UnsafeMutableRawPointer
    private(set) var monitorReader: Socket?
    private var isClosed = false

    /// What became of a frame handed to libzmq.
    enum Outcome {
        case sent
        /// The high-water mark is reached, or there is no connection.
        case full
        /// A ROUTER that knows nobody by that routing id.
        case unreachable
    }

    init(context: UnsafeMutableRawPointer, type: Int32) throws(TransportError) {
        guard let pointer = zmq_socket(context, type) else {
            throw .outOfResources(operation: "open a ZeroMQ socket", reason: ErrorText.last)
        }
        self.pointer = pointer
        do {
            try set(SocketOption(ZMQ_LINGER, "LINGER"), to: Int32(0))
        } catch {
            zmq_close(pointer)
            throw error
        }
    }

    func set(_ option: SocketOption, to value: Int32) throws(TransportError) {
        try withUnsafeBytes(of: value) { bytes throws(TransportError) in try set(option, raw: bytes) }
    }

    func set(_ option: SocketOption, to value: Int64) throws(TransportError) {
        try withUnsafeBytes(of: value) { bytes throws(TransportError) in try set(option, raw: bytes) }
    }

    func set(_ option: SocketOption, to value: [UInt8]) throws(TransportError) {
        let status = zmq_setsockopt(pointer, option.code, value, value.count)
        guard status == 0 else { throw .optionRefused(option: option.name, reason: ErrorText.last) }
    }

    private func set(_ option: SocketOption, raw bytes: UnsafeRawBufferPointer) throws(TransportError) {
        let status = zmq_setsockopt(pointer, option.code, bytes.baseAddress, bytes.count)
        guard status == 0 else { throw .optionRefused(option: option.name, reason: ErrorText.last) }
    }

    /// The error number, or 0.
    func bind(_ address: String) -> Int32 {
        zmq_bind(pointer, address) == 0 ? 0 : zmq_errno()
    }

    /// The error number, or 0. Nothing is connected yet on return; libzmq's thread does that.
    func connect(_ address: String) -> Int32 {
        zmq_connect(pointer, address) == 0 ? 0 : zmq_errno()
    }

    /// The address last bound, with the port the system chose.
    var lastEndpoint: String? {
        var text = [CChar](repeating: 0, count: 1_024)
        var length = text.count
        guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &text, &length) == 0 else { return nil }
        return Z85.text(text)
    }

    /// Hands over one frame without waiting. On `.sent` libzmq owns its content, else it stays with the caller.
    func send(_ message: UnsafeMutablePointer<zmq_msg_t>, more: Bool = false) -> Outcome {
        let flags = more ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT
        while zmq_msg_send(message, pointer, flags) < 0 {
            let code = zmq_errno()
            if code == EINTR { continue }
            return code == EHOSTUNREACH ? .unreachable : .full
        }
        return .sent
    }

    /// Hands over a small frame without waiting.
    func send(_ bytes: [UInt8], more: Bool = false) -> Outcome {
        let flags = more ? ZMQ_DONTWAIT | ZMQ_SNDMORE : ZMQ_DONTWAIT
        while zmq_send(pointer, bytes, bytes.count, flags) < 0 {
            let code = zmq_errno()
            if code == EINTR { continue }
            return code == EHOSTUNREACH ? .unreachable : .full
        }
        return .sent
    }

    /// Takes the next frame without waiting; false where there is none.
    func receive(into message: UnsafeMutablePointer<zmq_msg_t>) -> Bool {
        while zmq_msg_recv(message, pointer, ZMQ_DONTWAIT) < 0 {
            if zmq_errno() != EINTR { return false }
        }
        return true
    }

    /// Takes the next message of several small frames; nil where there is none. Frames beyond `limit` are dropped.
    func receiveFrames(limit: Int) -> [[UInt8]]? {
        let message = MessageBuffer()
        var frames: [[UInt8]] = []
        var isMore = true
        while isMore {
            guard receive(into: message.pointer) else { return frames.isEmpty ? nil : frames }
            if frames.count < limit { frames.append([UInt8](message.bytes)) }
            isMore = message.isMore
        }
        return frames
    }

    /// Starts telling `monitorReader` what happens to the connections. Call before binding or connecting.
    func startMonitor(context: UnsafeMutableRawPointer, events: Int32, address: String) throws(TransportError) {
        let reader = try Socket(context: context, type: ZMQ_PAIR)
        do {
            try reader.set(SocketOption(ZMQ_RCVHWM, "RCVHWM"), to: Int32(0))
        } catch {
            reader.close()
            throw error
        }
        guard zmq_socket_monitor(pointer, address, events) == 0 else {
            let reason = ErrorText.last
            reader.close()
            throw .outOfResources(operation: "watch a ZeroMQ socket", reason: reason)
        }
        monitorReader = reader
        let code = reader.connect(address)
        guard code == 0 else {
            throw .outOfResources(operation: "watch a ZeroMQ socket", reason: ErrorText.of(code))
        }
    }

    /// The next thing that happened to a connection: libzmq's event number and its value.
    func nextMonitorEvent() -> (event: Int32, value: UInt32)? {
        guard let first = monitorReader?.receiveFrames(limit: 2)?.first, first.count == 6 else { return nil }
        return first.withUnsafeBytes { bytes in
            (Int32(bytes.loadUnaligned(as: UInt16.self)), bytes.loadUnaligned(fromByteOffset: 2, as: UInt32.self))
        }
    }

    /// Closes the socket; the order matters, see the invariants.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        if let monitorReader {
            zmq_socket_monitor(pointer, nil, 0)
            monitorReader.close()
        }
        zmq_close(pointer)
    }
}

/// A message structure of libzmq at a fixed place in memory: the bytes of short messages lie inside it.
final class MessageBuffer {
    let pointer: UnsafeMutablePointer<zmq_msg_t>

    init() {
        pointer = .allocate(capacity: 1)
        zmq_msg_init(pointer)
    }

    deinit {
        zmq_msg_close(pointer)
        pointer.deallocate()
    }

    /// The content, valid until the next call that changes the message.
    var bytes: UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: zmq_msg_data(pointer), count: zmq_msg_size(pointer))
    }

    /// Whether further frames of the same message follow.
    var isMore: Bool { zmq_msg_more(pointer) != 0 }

    /// A property that the handshake attached to the connection, valid until the next call that changes the message.
    func property(_ name: String) -> UnsafePointer<CChar>? {
        zmq_msg_gets(pointer, name)
    }

    /// Gives the content back to libzmq.
    func clear() {
        zmq_msg_close(pointer)
        zmq_msg_init(pointer)
    }

    /// Makes room for `kind` and `payload` and copies them; false where there is no memory.
    func fill(kind: UInt8, payload: [UInt8]) -> Bool {
        zmq_msg_close(pointer)
        guard zmq_msg_init_size(pointer, payload.count + 1) == 0, let target = zmq_msg_data(pointer) else {
            zmq_msg_init(pointer)
            return false
        }
        target.storeBytes(of: kind, as: UInt8.self)
        payload.withUnsafeBytes { source in
            if let start = source.baseAddress { (target + 1).copyMemory(from: start, byteCount: source.count) }
        }
        return true
    }
}
