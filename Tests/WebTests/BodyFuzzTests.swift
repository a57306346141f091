import EventLog
import Foundation
import Testing
import Web

/// Bodies of requests that nobody's client would send: each is answered, none is the server's fault.
@Suite(.serialized)
struct BodyFuzzTests {
    private func altered(_ bytes: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        var bytes = bytes
        let pieces = ["{", "[", "\"", "null", "-1", "1e999", "\\u0000", "9223372036854775808", "\u{FF}", ","].map {
            [UInt8]($0.utf8)
        }
        for _ in 0..<Int.random(in: 1...4, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            case 1: bytes.removeSubrange(place..<min(bytes.count, place + 9))
            case 2: bytes.insert(contentsOf: pieces.randomElement(using: &generator)!, at: place)
            case 3: bytes.removeSubrange(place...)
            default: bytes.insert(contentsOf: bytes[place...].prefix(40), at: place)
            }
        }
        return bytes
    }

    @Test func `altered bodies of every command are answered, and the node goes on`() async throws {
        try await withNode { node in
            let record = try await node.registered("H-001")
            let id = "0a0f15713853f22333c451b5ddc6eac6"
            let seen = "[]"
            let samples: [(path: String, type: String, body: String)] = [
                (
                    node.studyPath + "/participants", "application/json",
                    #"{"command":"\#(id)","location":"haukeland","labels":[{"kind":"screening","text":"S-7"}]}"#
                ),
                (
                    record + "/forms", "application/json",
                    #"{"command":"\#(id)","event":"SE.BASELINE","form":"F.VS","seen":\#(seen),"groups":[{"group":"IG.VS","items":[{"item":"IT.PULSE","value":"61"}]}]}"#
                ),
                (
                    record + "/statuses", "application/json",
                    #"{"command":"\#(id)","status":"consented","date":"2026-01-02"}"#
                ),
                (record + "/removals", "application/json", #"{"command":"\#(id)","reason":"x","target":{}}"#),
                (record + "/restorations", "application/json", #"{"command":"\#(id)","reason":"x"}"#),
                (record + "/resolutions", "application/json", #"{"command":"\#(id)","sides":[]}"#),
                (record + "/decisions", "application/json", #"{"command":"\#(id)","verdicts":[]}"#),
                (record + "/confirmations", "application/json", #"{"command":"\#(id)","form":"x","seen":[]}"#),
                (
                    "/fhir", "application/fhir+json",
                    #"{"resourceType":"Bundle","type":"batch","entry":[{"resource":{}}]}"#
                ),
                ("/session", "application/x-www-form-urlencoded", "code=0000"),
            ]
            var generator = Seeded(state: 17)
            var refused = 0
            try await LoopbackClient.connect(port: node.port) { client in
                for round in 0..<400 {
                    let sample = samples[round % samples.count]
                    let body =
                        round < samples.count
                        ? Array(sample.body.utf8) : altered(Array(sample.body.utf8), using: &generator)
                    let response = try await client.ask(
                        "POST", sample.path, headers: node.headers(node.nurse, ("Content-Type", sample.type)),
                        body: body)
                    #expect(
                        (200..<500).contains(response.status),
                        "\(sample.path) \(response.status): \(String(decoding: body, as: UTF8.self))")
                    if response.status >= 400 { refused += 1 }
                }
            }
            #expect(refused > 200)
            #expect(try await node.get("/api/v0/node").status == 200)
        }
    }
}

/// A small seeded generator (SplitMix64), so that every run sends the same.
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }
}
