/// Sentences for libxml2's error numbers (`xmlParserErrors`), of which Foundation gives only the number.
enum XMLParseErrors {
    /// What the number means.
    /// - Parameter isInside: whether an element was open where the error occurred.
    static func reason(code: Int, isInside: Bool) -> String {
        switch code {
        case 4: "the file does not begin as XML does"
        case 5:
            isInside
                ? "the file ends before its last element is closed" : "something follows the end of the root element"
        case 9: "a character that XML cannot hold, or bytes that are not of the file's encoding"
        case 26, 27: "an entity that is not defined"
        case 38: "'<' within an attribute"
        case 39, 40: "an attribute whose value does not end"
        case 41: "an attribute without a value"
        case 42: "an attribute that stands twice in one element"
        case 45: "a comment that does not end"
        case 56, 57, 96: "a broken XML declaration"
        case 63: "a CDATA section that does not end"
        case 64: "']]>' within text"
        case 65: "attributes without white space between them, or an attribute cut off"
        case 68: "an element without a proper name"
        case 73: "a tag that does not end"
        case 76: "an end tag that does not fit its start tag"
        case 77: "the file ends before its last element is closed"
        case 81: "an unknown encoding"
        case 201, 202, 203, 204: "a namespace prefix that is not declared, or a broken name"
        default: "not well-formed XML (libxml2 error \(code))"
        }
    }
}
