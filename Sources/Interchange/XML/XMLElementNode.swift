/// An element's start tag with what it stands for: names without prefix, attributes of Varde's own namespace as
/// `varde:Name`, those of foreign namespaces left out.
struct XMLStartTag {
    var name: String
    var attributes: [String: String]
    var line: Int
    var column: Int
}

/// An element with everything in it.
final class XMLElementNode {
    let name: String
    let attributes: [String: String]
    let line: Int
    let column: Int
    fileprivate(set) var text = ""
    fileprivate(set) var children: [XMLElementNode] = []

    init(_ tag: XMLStartTag) {
        name = tag.name
        attributes = tag.attributes
        line = tag.line
        column = tag.column
    }

    /// The first child of that name.
    func child(_ name: String) -> XMLElementNode? {
        children.first { $0.name == name }
    }

    /// The children of that name.
    func children(_ name: String) -> [XMLElementNode] {
        children.filter { $0.name == name }
    }
}

/// Holds one element while it is read.
///
/// Invariants:
/// - `open` is the way from the held element to the one being read; empty where nothing is held;
/// - `count` is the number of elements begun since the held one was.
struct XMLCapture {
    private var open: [XMLElementNode] = []
    private(set) var count = 0

    /// Whether an element is being held.
    var isActive: Bool { !open.isEmpty }

    /// Begins an element, within the one being read or as the held one.
    mutating func start(_ tag: XMLStartTag) {
        let node = XMLElementNode(tag)
        if let parent = open.last {
            parent.children.append(node)
            count += 1
        } else {
            count = 1
        }
        open.append(node)
    }

    /// Adds text to the element being read.
    mutating func characters(_ text: String) {
        open.last?.text += text
    }

    /// Ends the element being read; returns the held one where it is that.
    mutating func end() -> XMLElementNode? {
        let node = open.removeLast()
        return open.isEmpty ? node : nil
    }
}
