/// Text on its way into an XML document.
enum XMLText {
    /// Appends text as the value of an attribute in double quotes.
    ///
    /// Tabs and line breaks become character references, because a reader turns bare ones into spaces (XML 1.0 §3.3.3).
    static func appendAttribute(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case 0x26: bytes += "&amp;".utf8
            case 0x3C: bytes += "&lt;".utf8
            case 0x3E: bytes += "&gt;".utf8
            case 0x22: bytes += "&quot;".utf8
            case 0x27: bytes += "&apos;".utf8
            case 0x09: bytes += "&#9;".utf8
            case 0x0A: bytes += "&#10;".utf8
            case 0x0D: bytes += "&#13;".utf8
            default: bytes.append(byte)
            }
        }
    }

    /// Appends text as the content of an element.
    ///
    /// A carriage return becomes a character reference, because a reader turns bare ones into line feeds (XML 1.0 §2.11).
    static func appendContent(_ text: String, to bytes: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case 0x26: bytes += "&amp;".utf8
            case 0x3C: bytes += "&lt;".utf8
            case 0x3E: bytes += "&gt;".utf8
            case 0x0D: bytes += "&#13;".utf8
            default: bytes.append(byte)
            }
        }
    }
}
