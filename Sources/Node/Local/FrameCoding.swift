import NIOCore

/// Frames of the local socket: four bytes of length, big-endian, then that many bytes of JSON.
///
/// Inbound, all frames that arrived together are passed on together, so that a client's burst of commands becomes one
/// transaction.
final class FrameCoding: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = [ByteBuffer]
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Bytes of a frame: room for a study's definitions in Base64, and no more.
    static let maximumByteCount = 64 * 1024 * 1024
    /// Frames passed on together.
    static let maximumBatch = 256

    private var received = ByteBuffer()
    private var frames: [ByteBuffer] = []

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        while let length = received.getInteger(at: received.readerIndex, as: UInt32.self) {
            guard length <= FrameCoding.maximumByteCount else {
                context.fireErrorCaught(FrameError.tooLarge(byteCount: Int(length)))
                context.close(promise: nil)
                return
            }
            guard received.readableBytes >= 4 + Int(length) else { break }
            received.moveReaderIndex(forwardBy: 4)
            if let frame = received.readSlice(length: Int(length)) { frames.append(frame) }
            if frames.count == FrameCoding.maximumBatch { passOn(context) }
        }
        received.discardReadBytes()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        passOn(context)
        context.fireChannelReadComplete()
    }

    private func passOn(_ context: ChannelHandlerContext) {
        guard !frames.isEmpty else { return }
        context.fireChannelRead(wrapInboundOut(frames))
        frames = []
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        var frame = unwrapOutboundIn(data)
        var bytes = context.channel.allocator.buffer(capacity: frame.readableBytes + 4)
        bytes.writeInteger(UInt32(frame.readableBytes))
        bytes.writeBuffer(&frame)
        context.write(wrapOutboundOut(bytes), promise: promise)
    }
}

/// Why a frame of the local socket was refused.
enum FrameError: Error, CustomStringConvertible {
    case tooLarge(byteCount: Int)

    var description: String {
        switch self {
        case .tooLarge(let count):
            "a message of \(count) bytes is larger than the \(FrameCoding.maximumByteCount) allowed"
        }
    }
}
