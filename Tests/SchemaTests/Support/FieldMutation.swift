/// Changes messages as other writers might have written them, and as nobody should: fields left out, repeated, in another
/// order, taken from another message; and single bytes.
enum FieldMutation {
    /// The bytes of every field, tag included; nil where the bytes are no message of varints and length-delimited fields.
    static func fields(of bytes: [UInt8]) -> [[UInt8]]? {
        var fields: [[UInt8]] = []
        var offset = 0
        while offset < bytes.count {
            let start = offset
            guard let tag = varint(bytes, &offset), tag >> 3 > 0 else { return nil }
            switch tag & 7 {
            case 0: guard varint(bytes, &offset) != nil else { return nil }
            case 2:
                guard let length = varint(bytes, &offset), length <= bytes.count - offset else { return nil }
                offset += length
            default: return nil
            }
            fields.append(Array(bytes[start..<offset]))
        }
        return fields
    }

    private static func varint(_ bytes: [UInt8], _ offset: inout Int) -> Int? {
        var value = 0
        for shift in stride(from: 0, to: 28, by: 7) {
            guard offset < bytes.count else { return nil }
            let byte = bytes[offset]
            offset += 1
            value |= Int(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }

    /// A message like `bytes` with a field or two changed, here or in a message within; `other` lends fields.
    static func changed(_ bytes: [UInt8], with other: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        guard var fields = fields(of: bytes), fields.count > 1 else { return flipped(bytes, using: &generator) }
        // The version stays where it is, most times: without it nothing else is looked at.
        let first = fields[0].first == 0x08 && generator.chance(95) ? 1 : 0
        for _ in 0...generator.below(2) where fields.count > first {
            let place = first + generator.below(fields.count - first)
            switch generator.below(7) {
            case 0: fields.remove(at: place)
            case 1: fields.insert(fields[place], at: first + generator.below(fields.count - first + 1))
            case 2: fields.swapAt(place, first + generator.below(fields.count - first))
            case 3:
                guard let lent = generator.pick(self.fields(of: other) ?? []) else { continue }
                fields.insert(lent, at: first + generator.below(fields.count - first + 1))
            default: fields[place] = changedWithin(fields[place], other, using: &generator)
            }
        }
        let whole = fields.flatMap { $0 }
        return generator.chance(10) ? flipped(whole, using: &generator) : whole
    }

    /// The same field with its message changed; or another number or other bytes in it.
    private static func changedWithin(
        _ field: [UInt8], _ other: [UInt8], using generator: inout SplitMix64
    ) -> [UInt8] {
        var offset = 0
        guard let tag = varint(field, &offset) else { return field }
        let head = Array(field[..<offset])
        guard tag & 7 == 2 else {
            return head + generator.one(of: [0], [1], [2], [0x7F], [0x80, 0x80, 0x04], [0x81, 0x80, 0x80, 0x80, 0x10])
        }
        guard let length = varint(field, &offset) else { return field }
        let content = Array(field[offset..<(offset + length)])
        let lender = (fields(of: other) ?? []).first { $0.starts(with: head) }
        let lent = lender.map { Array($0.dropFirst(head.count + 1)) } ?? content
        let changed = changed(content, with: lent, using: &generator)
        return head + lengthPrefix(changed.count) + changed
    }

    private static func lengthPrefix(_ count: Int) -> [UInt8] {
        count < 0x80
            ? [UInt8(count)]
            : [UInt8(count & 0x7F) | 0x80] + lengthPrefix(count >> 7)
    }

    /// A byte or two changed, without regard for fields.
    static func flipped(_ bytes: [UInt8], using generator: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0...generator.below(2) {
            guard !bytes.isEmpty else { return generator.bytes(3) }
            let place = generator.below(bytes.count)
            switch generator.below(4) {
            case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(UInt8(generator.below(256)), at: place)
            default: bytes.removeLast(bytes.count - place)
            }
        }
        return bytes
    }
}
