import EventLog
import Testing

struct Ed25519Tests {
    static let vectorPath = "vectors/wycheproof-ed25519.json"

    struct Wycheproof: Decodable {
        struct Group: Decodable {
            struct Key: Decodable { let pk: String }
            struct Case: Decodable {
                let tcId: Int
                let comment: String
                let msg: String
                let sig: String
                let result: String
            }
            let publicKey: Key
            let tests: [Case]
        }
        let numberOfTests: Int
        let testGroups: [Group]
    }

    @Test(.enabled(if: SharedData.isPresent(vectorPath), SharedData.absent))
    func `every Wycheproof signature gets its verdict`() throws {
        let vectors = try SharedData.decode(Wycheproof.self, from: Self.vectorPath)
        var count = 0
        for group in vectors.testGroups {
            let key = try #require([UInt8](hex: group.publicKey.pk))
            for vector in group.tests {
                let message = try #require([UInt8](hex: vector.msg))
                let signature = try #require([UInt8](hex: vector.sig))
                let isValid = Ed25519.isValidSignature(signature, for: message, publicKey: key)
                #expect(isValid == (vector.result == "valid"), "case \(vector.tcId): \(vector.comment)")
                count += 1
            }
        }
        #expect(count == vectors.numberOfTests)
        #expect(count == 151)
    }

    @Test func `the first vectors of RFC 8032 are made and verified`() {
        let key = TestKeys.log.verifierKey.publicKey
        #expect(key.hex == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        let signature = [UInt8](
            hex: "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
                + "d25bf5f0595bbe24655141438e7a100b")!
        #expect(Ed25519.isValidSignature(signature, for: [], publicKey: key))
        #expect(!Ed25519.isValidSignature(signature, for: [0], publicKey: key))
    }

    @Test func `a signature with any bit turned is refused`() {
        let text: [UInt8] = [UInt8]("head\n".utf8)
        let signature = TestKeys.log.sign(noteText: text).value
        let key = TestKeys.log.verifierKey.publicKey
        #expect(Ed25519.isValidSignature(signature, for: text, publicKey: key))
        for bit in 0..<512 {
            var altered = signature
            altered[bit / 8] ^= 1 << UInt8(bit % 8)
            #expect(!Ed25519.isValidSignature(altered, for: text, publicKey: key))
        }
    }

    @Test func `a signature with the group order added to its second half is refused`() {
        // S and S + L solve the same equation; only S below L may count (RFC 8032 §5.1.7).
        let order = [UInt8](hex: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")!
        let text: [UInt8] = [UInt8]("head\n".utf8)
        var signature = TestKeys.log.sign(noteText: text).value
        var carry = 0
        for position in 0..<32 {
            let sum = Int(signature[32 + position]) + Int(order[position]) + carry
            signature[32 + position] = UInt8(truncatingIfNeeded: sum)
            carry = sum >> 8
        }
        #expect(!Ed25519.isValidSignature(signature, for: text, publicKey: TestKeys.log.verifierKey.publicKey))
    }

    @Test(arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
    func `a public key of small order or irregular spelling is refused, with either sign`(hex: String) {
        var key = [UInt8](hex: hex)!
        #expect(!Ed25519.isAcceptablePublicKey(key))
        key[31] ^= 0x80
        #expect(!Ed25519.isAcceptablePublicKey(key))
    }

    @Test func `under the identity as public key anything would count as signed, so nothing does`() {
        // With A the identity, R = B and S = 1 satisfy S·B = R + h·A whatever the message is.
        let base = [UInt8](hex: "5866666666666666666666666666666666666666666666666666666666666666")!
        let signature = base + [1] + [UInt8](repeating: 0, count: 31)
        let identity = [1] + [UInt8](repeating: 0, count: 31)
        #expect(!Ed25519.isValidSignature(signature, for: [1, 2, 3], publicKey: identity))
    }

    @Test func `keys and signatures of other lengths, and keys off the curve, validate nothing`() {
        let text: [UInt8] = [1]
        let signature = TestKeys.log.sign(noteText: text).value
        let key = TestKeys.log.verifierKey.publicKey
        for count in [0, 1, 31, 33, 64] {
            let other = Array((key + key).prefix(count))
            #expect(!Ed25519.isValidSignature(signature, for: text, publicKey: other))
        }
        for count in [0, 1, 63, 65, 128] {
            let other = Array((signature + signature).prefix(count))
            #expect(!Ed25519.isValidSignature(other, for: text, publicKey: key))
        }
        let offCurve = [2] + [UInt8](repeating: 0, count: 31)
        #expect(!Ed25519.isValidSignature(signature, for: text, publicKey: offCurve))
    }
}
