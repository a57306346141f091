import EventLog
import Foundation
import Testing

struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func `the vectors of RFC 4648 are written and read`(plain: String, encoded: String) {
        #expect(Base64.encode([UInt8](plain.utf8)) == [UInt8](encoded.utf8))
        #expect(Base64.decode(encoded.utf8) == [UInt8](plain.utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "====", "=AAA", "A=AA", "AA=A", "Zh==", "Zm9=", "Zm9v\n", "Zm 9", "Zm-_", "Zg==Zg==",
        "Zm9v====", "Zm9vÆØ",
    ])
    func `text with other characters, wrong padding or spare bits is refused`(text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test func `any bytes come back, and any text that is read is what would be written`() {
        var generator = SplitMix64(seed: 2)
        for count in 0..<200 {
            let bytes = generator.bytes(count)
            let text = Base64.encode(bytes)
            #expect(text == [UInt8](Data(bytes).base64EncodedData()))
            #expect(Base64.decode(text) == bytes)
        }
        let characters = [UInt8]("AQgw/+=9".utf8)
        for _ in 0..<5_000 {
            let text = (0..<Int.random(in: 0...12, using: &generator)).map { _ in
                characters.randomElement(using: &generator)!
            }
            if let bytes = Base64.decode(text) { #expect(Base64.encode(bytes) == text) }
        }
    }
}
