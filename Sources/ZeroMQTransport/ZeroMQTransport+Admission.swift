import CZeroMQ
import Logging

extension ZeroMQTransport {
    /// The property under which the handshake leaves the peer's key on every message. The name alone would not do: of
    /// two keys admitted under one name, one may be withdrawn.
    static let keyProperty = "Curve-Key"

    /// Answers what our ROUTER asks about new connections (ZAP, ZeroMQ RFC 27).
    func serveAdmission() {
        // Bounded, so that a crowd at the door does not keep us from those inside.
        for _ in 0..<64 {
            guard let admission, let request = admission.receiveFrames(limit: 8) else { return }
            let reply = judge(request)
            for (position, frame) in reply.enumerated() {
                _ = admission.send(frame, more: position < reply.count - 1)
            }
        }
    }

    /// The frames of the reply: version, request id, status, text, user id, properties.
    private func judge(_ request: [[UInt8]]) -> [[UInt8]] {
        let version = [UInt8]("1.0".utf8)
        let requestIdentity = request.count > 1 ? request[1] : []
        func reply(_ status: String, _ text: String, user: String = "", properties: [UInt8] = []) -> [[UInt8]] {
            [version, requestIdentity, [UInt8](status.utf8), [UInt8](text.utf8), [UInt8](user.utf8), properties]
        }
        guard request.count == 7, request[0] == version, request[2] == [UInt8](Self.admissionDomain.utf8),
            request[5] == [UInt8]("CURVE".utf8), let key = CurvePublicKey(bytes: request[6])
        else {
            return reply("500", "Only CURVE is served here")
        }
        guard let name = admittedName(for: key) else {
            noteRefusal(of: key, address: String(decoding: request[3].prefix(64), as: UTF8.self))
            return reply("400", "This key is not admitted")
        }
        return reply("200", "OK", user: name, properties: Self.property(Self.keyProperty, value: key.z85))
    }

    /// One property as ZMTP spells it: length and name, then length (four bytes, big-endian) and value.
    private static func property(_ name: String, value: String) -> [UInt8] {
        let count = UInt32(value.utf8.count)
        let length = stride(from: 24, through: 0, by: -8).map { UInt8(truncatingIfNeeded: count >> UInt32($0)) }
        return [UInt8(name.utf8.count)] + [UInt8](name.utf8) + length + [UInt8](value.utf8)
    }

    private func noteRefusal(of key: CurvePublicKey, address: String) {
        counters.handshakesRefused += 1
        guard refusals.shouldReport(key, now: monotonicMilliseconds()) else { return }
        pendingEvents.append(.refusedKey(key, address: address))
        logger.notice(
            "refused a connection whose key is not admitted", metadata: ["key": "\(key)", "address": "\(address)"])
    }
}

/// Which refused keys were told of lately, so that somebody who knocks for ever is not told of for ever.
struct RefusalLog {
    private static let capacity = 256
    private static let intervalMilliseconds: Int64 = 60_000
    private var reported: [CurvePublicKey: Int64] = [:]

    /// Whether this refusal is worth telling; true at most once a minute for each key and for 256 keys together.
    mutating func shouldReport(_ key: CurvePublicKey, now: Int64) -> Bool {
        if let last = reported[key], now - last < Self.intervalMilliseconds { return false }
        if reported[key] == nil && reported.count >= Self.capacity {
            reported = reported.filter { now - $0.value < Self.intervalMilliseconds }
            guard reported.count < Self.capacity else { return false }
        }
        reported[key] = now
        return true
    }

    /// Keys that are admitted now: should they be refused again, that is news.
    mutating func forget(_ keys: some Sequence<CurvePublicKey>) {
        for key in keys {
            reported[key] = nil
        }
    }
}
