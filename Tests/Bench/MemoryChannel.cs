using System.Net;
using DotNetty.Transport.Channels;

namespace Broker.Bench;

/// <summary>A channel without a socket: what is written to it is counted and dropped, what it reads is put in by hand.</summary>
internal sealed class MemoryChannel : AbstractChannel
{
    private static readonly ChannelMetadata Plain = new(false);
    private static readonly IPEndPoint Nowhere = new(IPAddress.Loopback, 0);
    private bool closed;

    public MemoryChannel()
        : base(null) => Configuration = new DefaultChannelConfiguration(this);

    /// <summary>Packets' bytes written so far.</summary>
    public long BytesWritten { get; private set; }

    public override IChannelConfiguration Configuration { get; }

    public override ChannelMetadata Metadata => Plain;

    public override bool Open => !closed;

    public override bool Active => !closed && Registered;

    protected override EndPoint LocalAddressInternal => Nowhere;

    protected override EndPoint RemoteAddressInternal => Nowhere;

    protected override IChannelUnsafe NewUnsafe() => new MemoryUnsafe(this);

    protected override bool IsCompatible(IEventLoop eventLoop) => true;

    protected override void DoBind(EndPoint localAddress)
    {
    }

    protected override void DoDisconnect() => closed = true;

    protected override void DoClose() => closed = true;

    protected override void DoBeginRead()
    {
    }

    protected override void DoWrite(ChannelOutboundBuffer input)
    {
        while (input.Current is DotNetty.Buffers.IByteBuffer buffer)
        {
            BytesWritten += buffer.ReadableBytes;
            input.Remove();
        }
    }

    private sealed class MemoryUnsafe(AbstractChannel channel) : AbstractUnsafe(channel)
    {
        public override Task ConnectAsync(EndPoint remoteAddress, EndPoint localAddress) => throw new NotSupportedException();
    }
}
