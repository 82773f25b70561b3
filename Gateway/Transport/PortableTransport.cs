using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;
using DotNetty.Transport.Channels.Sockets;

namespace Broker.Gateway.Transport;

/// <summary>DotNetty's own sockets, for systems without epoll.</summary>
internal sealed class PortableTransport : ITransport
{
    public string Name => "portable";

    public IEventLoopGroup CreateLoops(int count) => new MultithreadEventLoopGroup(count);

    public void UseServerChannel(ServerBootstrap bootstrap) => bootstrap.Channel<TcpServerSocketChannel>();
}
