using System.Net;
using System.Runtime.InteropServices;
using DotNetty.Buffers;
using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace Broker.Gateway.Transport.Epoll;

/// <summary>An accepted TCP connection, read and written on its loop's thread.</summary>
/// <remarks>
/// What arrived before the peer closed or reset is delivered first, as far as reading is wanted: a client may publish,
/// send DISCONNECT and leave unread acknowledgements behind, which makes its kernel reset the connection.
/// </remarks>
internal sealed class EpollSocketChannel : EpollChannel, ISocketChannel
{
    private const int MaxReadsPerTurn = 4;
    private const int MaxBytesPerWrite = 256 * 1024;
    private const uint ReadEvents = LibC.EpollIn | LibC.EpollRdHup;
    private const uint PeerGone = LibC.EpollHup | LibC.EpollErr;
    private static readonly ChannelMetadata SharedMetadata = new(false, 16);
    private static readonly Action<object> FlushQueuedAction = static channel => ((EpollSocketChannel)channel).FlushQueued();

    private readonly EpollSocketConfiguration configuration;
    private readonly PeerAddress peer;
    private ReceiveSize receiveSize;
    private bool flushQueued;
    // The first message of the outbound buffer has been sent in part. DotNetty caches the pieces of a message when it
    // lists them and does not notice that the message's start has moved, so such a message is sent by itself.
    private bool headBegun;

    /// <param name="descriptor">A connected, non-blocking socket; owned by the channel.</param>
    public EpollSocketChannel(IChannel parent, int descriptor, PeerAddress peer) : base(parent, descriptor)
    {
        this.peer = peer;
        configuration = new EpollSocketConfiguration(this);
    }

    public override IChannelConfiguration Configuration => configuration;

    public override ChannelMetadata Metadata => SharedMetadata;

    /// <summary>See <see cref="EpollSocketConfiguration.Linger"/>.</summary>
    public unsafe int LingerSeconds
    {
        get
        {
            int* linger = stackalloc int[2];
            uint length = 2 * sizeof(int);
            return LibC.GetSocketOption(Descriptor, LibC.SolSocket, LibC.SoLinger, linger, &length) == 0 && linger[0] != 0 ? linger[1] : -1;
        }
        set
        {
            int* linger = stackalloc int[2] { value < 0 ? 0 : 1, Math.Max(value, 0) };
            _ = LibC.SetSocketOption(Descriptor, LibC.SolSocket, LibC.SoLinger, linger, 2 * sizeof(int));
        }
    }

    protected override EndPoint? RemoteAddressInternal => peer.ToEndPoint();

    public override void OnReady(uint mask)
    {
        if ((mask & (LibC.EpollOut | PeerGone)) != 0 && IsWatching(LibC.EpollOut)) ((SocketUnsafe)Unsafe).FlushNow();
        if (Open && (mask & (ReadEvents | PeerGone)) != 0) OnReadable(mask);
    }

    protected override IChannelUnsafe NewUnsafe() => new SocketUnsafe(this);

    protected override void DoBind(EndPoint localAddress) => throw new NotSupportedException("An accepted connection is bound already.");

    protected override object FilterOutboundMessage(object msg)
        => msg is IByteBuffer ? msg : throw new NotSupportedException($"Only byte buffers can be written, not {msg.GetType().Name}.");

    protected override void DoClose()
    {
        DiscardUnread();
        base.DoClose();
    }

    protected override void DoWrite(ChannelOutboundBuffer input)
    {
        int writesLeft = configuration.WriteSpinCount;
        while (!input.IsEmpty)
        {
            if (writesLeft-- == 0)
            {
                flushQueued = true;
                EventLoop.Execute(FlushQueuedAction, this);
                return;
            }

            int sent = headBegun || input.Size == 1 ? SendFirst(input, out int attempted) : SendSeveral(input, out attempted);
            if (sent == -LibC.Eintr) continue;
            if (sent < 0 && sent != -LibC.Eagain)
            {
                WriteFailed(input, -sent);
                return;
            }

            if (sent < attempted)
            {
                Watch(LibC.EpollOut);
                return;
            }
        }

        Unwatch(LibC.EpollOut);
    }

    /// <summary>Takes what lies unread, within bounds: closing over it would send a reset, which can overtake the last packet to the client.</summary>
    private unsafe void DiscardUnread()
    {
        const int Chunk = 4096;
        byte* discarded = stackalloc byte[Chunk];
        for (int left = MaxBytesPerWrite / Chunk; left > 0 && Descriptor >= 0 && LibC.Receive(Descriptor, discarded, Chunk, 0) == Chunk;) left--;
    }

    private void OnReadable(uint mask)
    {
        if (!ReadWanted)
        {
            // Auto-read was switched off. A dead peer's events cannot be masked, so the descriptor leaves epoll altogether;
            // the next Read brings it back, and with it what had arrived and then the close.
            Unwatch((mask & PeerGone) != 0 ? uint.MaxValue : ReadEvents);
            return;
        }

        bool closing = (mask & (PeerGone | LibC.EpollRdHup)) != 0;
        int reads = 0, result;
        bool more;
        do
        {
            result = ReadOnce(out more);
            if (result > 0) reads++;
        }
        while (result > 0 && reads < MaxReadsPerTurn && (more || closing) && Open && configuration.AutoRead);

        if (reads > 0) Pipeline.FireChannelReadComplete();
        if (result > 0 || result is -LibC.Eagain or -LibC.Eintr || !Open) return;
        if (result < 0 && !LibC.IsConnectionLost(-result)) Pipeline.FireExceptionCaught(SocketFault.Create("recv", -result));
        Unsafe.CloseAsync();
    }

    // Bytes received and handed on, 0 at the end of the stream, or minus the error number.
    private unsafe int ReadOnce(out bool more)
    {
        IByteBuffer buffer = configuration.Allocator.HeapBuffer(receiveSize.Bytes);
        int capacity = buffer.WritableBytes;
        int received;
        fixed (byte* start = &buffer.Array[buffer.ArrayOffset + buffer.WriterIndex])
        {
            received = (int)LibC.Receive(Descriptor, start, (nuint)capacity, 0);
            if (received < 0) received = -LibC.Errno;
        }

        more = received == capacity;
        if (received <= 0)
        {
            buffer.Release();
            return received;
        }

        receiveSize.Record(received);
        buffer.SetWriterIndex(buffer.WriterIndex + received);
        ReadAnswered();
        Pipeline.FireChannelRead(buffer);
        return received;
    }

    private unsafe int SendFirst(ChannelOutboundBuffer input, out int attempted)
    {
        var message = (IByteBuffer)input.Current;
        int readable = message.ReadableBytes;
        int sent;
        if (message.IoBufferCount == 1)
        {
            ArraySegment<byte> piece = message.GetIoBuffer();
            attempted = Math.Min(piece.Count, MaxBytesPerWrite);
            fixed (byte* start = &MemoryMarshal.GetArrayDataReference(piece.Array!))
            {
                sent = (int)LibC.Send(Descriptor, start + piece.Offset, (nuint)attempted, LibC.MsgNoSignal);
                if (sent < 0) sent = -LibC.Errno;
            }
        }
        else
        {
            sent = Loop.Writer.Send(Descriptor, message.GetIoBuffers(), out attempted);
        }

        if (sent < 0) return sent;
        headBegun = sent < readable;
        input.RemoveBytes(sent);
        return sent;
    }

    private int SendSeveral(ChannelOutboundBuffer input, out int attempted)
    {
        List<ArraySegment<byte>> pieces = input.GetSharedBufferList(GatherWriter.MaxSegments, MaxBytesPerWrite);
        int count = pieces.Count;
        int sent = Loop.Writer.Send(Descriptor, CollectionsMarshal.AsSpan(pieces), out attempted);
        pieces.Clear();
        if (sent < 0) return sent;
        // A full list may have ended inside a composite message.
        headBegun = sent < attempted || count == GatherWriter.MaxSegments;
        input.RemoveBytes(sent);
        return sent;
    }

    // While reading is on, the read side closes the channel after it has delivered what had arrived; epoll reports the
    // dead socket for as long as it is watched.
    private void WriteFailed(ChannelOutboundBuffer input, int errno)
    {
        Unwatch(LibC.EpollOut);
        headBegun = false;
        if (errno is LibC.Epipe or LibC.Econnreset && ReadWanted && IsWatching(LibC.EpollIn))
        {
            input.FailFlushed(new ClosedChannelException(), true);
            return;
        }

        if (!LibC.IsConnectionLost(errno)) Pipeline.FireExceptionCaught(SocketFault.Create("send", errno));
        Unsafe.CloseAsync();
    }

    private void FlushQueued()
    {
        flushQueued = false;
        Unsafe.Flush();
    }

    private sealed class SocketUnsafe(EpollSocketChannel socket) : EpollUnsafe(socket)
    {
        private EpollSocketChannel Socket => (EpollSocketChannel)channel;

        /// <summary>Writes now, because the socket says it has room.</summary>
        public void FlushNow() => base.Flush0();

        // With a full socket buffer, or a flush already queued, a try now would only cost a system call.
        protected override void Flush0()
        {
            if (!Socket.IsWatching(LibC.EpollOut) && !Socket.flushQueued) base.Flush0();
        }
    }
}
