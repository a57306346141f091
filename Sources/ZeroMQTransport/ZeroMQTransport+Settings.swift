import CZeroMQ

/// What libzmq itself says that a socket is set to: for tests, for an option that was not taken fails silently.
package struct SocketSettings: Hashable, Sendable {
    /// ROUTER or DEALER, in libzmq's numbers.
    package let type: Int32
    /// `ZMQ_MAXMSGSIZE`, bytes of one part.
    package let maximumMessageBytes: Int64
    /// `ZMQ_SNDHWM`, messages.
    package let sendQueueMessages: Int32
    /// `ZMQ_RCVHWM`, messages.
    package let receiveQueueMessages: Int32
    /// `ZMQ_LINGER`, milliseconds.
    package let lingerMilliseconds: Int32
    /// `ZMQ_IMMEDIATE`.
    package let isImmediate: Bool
    /// `ZMQ_CURVE_SERVER`.
    package let isCurveServer: Bool
    /// `ZMQ_MECHANISM`, in libzmq's numbers.
    package let mechanism: Int32
    /// `ZMQ_ZAP_ENFORCE_DOMAIN`.
    package let enforcesAdmissionDomain: Bool
    /// `ZMQ_HEARTBEAT_IVL`, `ZMQ_HEARTBEAT_TIMEOUT` and `ZMQ_HEARTBEAT_TTL`, milliseconds.
    package let heartbeatMilliseconds: [Int32]
    /// `ZMQ_HANDSHAKE_IVL`, milliseconds.
    package let handshakeMilliseconds: Int32

    init(_ socket: Socket) {
        func number(_ option: Int32) -> Int32 { socket.value(of: option, or: Int32(-1)) }
        type = number(ZMQ_TYPE)
        maximumMessageBytes = socket.value(of: ZMQ_MAXMSGSIZE, or: Int64(-1))
        sendQueueMessages = number(ZMQ_SNDHWM)
        receiveQueueMessages = number(ZMQ_RCVHWM)
        lingerMilliseconds = number(ZMQ_LINGER)
        isImmediate = number(ZMQ_IMMEDIATE) == 1
        isCurveServer = number(ZMQ_CURVE_SERVER) == 1
        mechanism = number(ZMQ_MECHANISM)
        enforcesAdmissionDomain = number(varde_zmq_zap_enforce_domain) == 1
        heartbeatMilliseconds = [ZMQ_HEARTBEAT_IVL, ZMQ_HEARTBEAT_TIMEOUT, ZMQ_HEARTBEAT_TTL].map(number)
        handshakeMilliseconds = number(ZMQ_HANDSHAKE_IVL)
    }
}

extension ZeroMQTransport {
    /// The settings of the listening socket, and of every connecting one.
    package func socketSettings() -> (listening: SocketSettings?, connecting: [SocketSettings]) {
        (router.map(SocketSettings.init), outgoing.values.map { SocketSettings($0.socket) })
    }
}

extension Socket {
    /// What an option is set to; `absent` where libzmq does not say.
    func value<Number: FixedWidthInteger>(of option: Int32, or absent: Number) -> Number {
        var value = absent
        var byteCount = MemoryLayout<Number>.size
        return zmq_getsockopt(pointer, option, &value, &byteCount) == 0 ? value : absent
    }
}
