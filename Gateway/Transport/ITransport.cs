using DotNetty.Transport.Bootstrapping;
using DotNetty.Transport.Channels;

namespace Broker.Gateway.Transport;

/// <summary>How the gateway's listeners reach the network: which loops run them and which kind of channel listens.</summary>
internal interface ITransport
{
    /// <summary>For the start-up log: "epoll" or "portable".</summary>
    string Name { get; }

    /// <summary>Starts <paramref name="count"/> event loops, one thread each; shut the group down to stop them.</summary>
    IEventLoopGroup CreateLoops(int count);

    /// <summary>Sets the bootstrap's channel type. Its groups must come from <see cref="CreateLoops"/> of the same transport.</summary>
    void UseServerChannel(ServerBootstrap bootstrap);
}
